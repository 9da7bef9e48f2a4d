"""Decision files: where labels allow they give the scorer's answers, through the real pipeline and the real server."""

import importlib.util
import json
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import jinja2
import numpy as np
import pytest
import torch
from jinja2.sandbox import ImmutableSandboxedEnvironment
from transformers import pipeline
from transformers.decision import label_token_ids
from tuned_folder import PROMOTER, SPLICE, random_gpt2, task_yaml

from dnahlm.inference.decision import FOLDER, decision_config, decision_template, write_decisions
from dnahlm.inference.load import load
from dnahlm.inference.scorer import probabilities, score
from dnahlm.tasks.prompt import encode, render_prompts
from dnahlm.tasks.spec import load_task
from dnahlm.tokenizer.bpe import train_bpe

TEMPERATURE = 2.0
CHOICE = {"type": "choice", "criteria": {"no": None, "yes": None}}


def dna(seed, n=40):
    rng = random.Random(seed)
    return ["".join(rng.choices("AT" if i % 2 else "GC", k=rng.randint(20, 40))) for i in range(n)]


@pytest.fixture(scope="module")
def tokenizer():
    """One whose "yes" and "no" are single tokens at the start of a line."""
    rng = random.Random(0)
    text = "\nyes\n\nno\n" * 60 + "Is this DNA sequence a promoter? Answer with yes or no. "
    letters = ["".join(rng.choices("ACGT", k=200)) for _ in range(50)]
    return train_bpe([text, *letters], vocab_size=400, min_dna_run=8, max_dna_token=4)


@pytest.fixture(scope="module")
def tuned(tokenizer, tmp_path_factory):
    """A checkpoint that has learned AT-rich = yes and to stop, with one task whose labels allow, one whose do not."""
    torch.manual_seed(0)
    model = random_gpt2(tokenizer).train()
    spec_path = tmp_path_factory.mktemp("task") / "at_rich.yaml"
    spec_path.write_text(task_yaml("at_rich", {"0": "no", "1": "yes"}, PROMOTER))
    sequences = dna(1)
    words = ["yes" if i % 2 else "no" for i in range(len(sequences))]
    prompts = prompts_of(tokenizer, spec_path, sequences)
    prompt_ids, answer_ids = encode(tokenizer, prompts, words)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for step in range(60):
        chosen = range(step % 4 * 10, step % 4 * 10 + 10)
        width = max(len(prompt_ids[i]) + len(answer_ids[i]) for i in chosen)
        ids = torch.full((len(chosen), width), tokenizer.pad_token_id)
        labels = torch.full_like(ids, -100)
        for b, i in enumerate(chosen):
            whole = prompt_ids[i] + answer_ids[i]
            ids[b, : len(whole)] = torch.tensor(whole)
            labels[b, len(prompt_ids[i]) : len(whole)] = torch.tensor(answer_ids[i])
        model(input_ids=ids, attention_mask=(ids != tokenizer.pad_token_id).long(), labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    folder = tmp_path_factory.mktemp("sft")
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "tasks").mkdir()
    (folder / "tasks/at_rich.yaml").write_text(spec_path.read_text())
    splice = task_yaml("splice_site", {"0": "donor", "1": "no signal", "2": "no gene"}, SPLICE)
    (folder / "tasks/splice_site.yaml").write_text(splice)
    (folder / "tasks.json").write_text("{}")
    (folder / "calibration.json").write_text(json.dumps({"at_rich": {"temperature": TEMPERATURE}}))
    return folder, write_decisions(folder)["decision"]


def prompts_of(tokenizer, task, sequences):
    question = load_task(task).phrasings[0].replace("{options}", "no or yes")
    return render_prompts(tokenizer, [question] * len(sequences), sequences)


@pytest.fixture(scope="module")
def decide(tuned):
    return pipeline("decision", model=str(tuned[0]), device="cpu")


def test_a_bias_that_changes_answers_is_said_and_one_that_does_not_is_not(tuned, tmp_path, capsys):
    folder = tmp_path / "sft"
    shutil.copytree(tuned[0], folder)
    for changed, said in ((0, "written"), (7, "another answer in 7 of 200 validation rows")):
        entry = {"temperature": 2.0, "bias": [0.5, -0.5], "rows": 200, "changed_by_bias": changed}
        (folder / "calibration.json").write_text(json.dumps({"at_rich": entry}))
        assert write_decisions(folder)["decision"]["at_rich"].endswith(said)
        assert (said in capsys.readouterr().out) == bool(changed)


def test_files_are_written_where_labels_allow_and_the_reason_where_not(tuned):
    folder, found = tuned
    assert found["at_rich"] == "written"
    assert found["splice_site"] == "the answers 'no signal' and 'no gene' begin with the same token"
    assert [path.name for path in (folder / FOLDER).iterdir()] == ["at_rich.json"]
    assert (folder / "decision.json").is_file() and (folder / "decision_template.jinja").is_file()
    load(folder)  # a checkpoint with these files is still one


def test_an_answer_of_several_tokens_is_told_by_its_first(tuned, tokenizer, tmp_path):
    words = ["donor", "acceptor", "neither"]
    path = tmp_path / "splice.yaml"
    path.write_text(task_yaml("splice", dict(zip("012", words, strict=True)), SPLICE))
    labels = decision_config(tokenizer, load_task(path), 1.0).labels
    prompt = render_prompts(tokenizer, ["Question?"], ["ACGT"])
    _, ids = encode(tokenizer, prompt * 3, words)
    assert max(map(len, ids)) > 2
    assert label_token_ids(tokenizer, tuple(labels["choice"])) == [begin[0] for begin in ids]
    assert "noul" not in labels


def test_a_second_task_leaves_the_choice_to_the_server(tuned, tmp_path):
    folder = tmp_path / "sft"
    folder.mkdir()
    for path in tuned[0].iterdir():
        if path.suffix != ".safetensors" and path.is_file() and not path.name.startswith("decision"):
            (folder / path.name).write_bytes(path.read_bytes())
    (folder / "tasks").mkdir()
    for name in ("one", "two"):
        (folder / f"tasks/{name}.yaml").write_text(task_yaml(name, {"0": "no", "1": "yes"}, PROMOTER))
    assert write_decisions(folder)["decision"] == {"one": "written", "two": "written"}
    assert {path.name for path in (folder / FOLDER).iterdir()} == {"one.json", "two.json"}
    assert not (folder / "decision.json").exists()


def test_the_pipeline_reads_the_very_ids_the_model_was_tuned_on(tuned, tokenizer, decide):
    sequences = dna(2, 6)
    ours, _ = encode(tokenizer, prompts_of(tokenizer, tuned[0] / "tasks/at_rich.yaml", sequences), ["no"] * 6)
    for sequence, ids in zip(sequences, ours, strict=True):
        for typed in (sequence, f" {sequence[:9].lower()}\n{sequence[9:]} "):
            ((inputs, _),) = decide.decision_config.prepare_inputs(
                {"state": typed, "questions": {"q": CHOICE}}, tokenizer
            )
            assert inputs["input_ids"][0].tolist() == ids


def test_a_question_of_ones_own_takes_the_place_of_the_tasks(tuned, tokenizer, decide):
    question = 'Is it "rich" in A? {{ 7 * 7 }}'
    request = {"state": "ACGTACGTAC", "questions": {"q": CHOICE | {"instructions": question}}}
    ((inputs, _),) = decide.decision_config.prepare_inputs(request, tokenizer)
    ours, _ = encode(tokenizer, render_prompts(tokenizer, [question], ["ACGTACGTAC"]), ["no"])
    assert inputs["input_ids"][0].tolist() == ours[0]


def test_probabilities_stand_in_the_scorers_order_and_are_calibrated(tuned, tokenizer, decide):
    sequences, loaded = dna(3), load(tuned[0])
    prompts = prompts_of(tokenizer, tuned[0] / "tasks/at_rich.yaml", sequences)
    ours = probabilities(score(loaded.model, tokenizer, prompts, ["no", "yes"]), TEMPERATURE)
    answers = [decide({"state": s, "questions": {"q": CHOICE}})["q"] for s in sequences]
    theirs = np.array([[a["probabilities"]["no"], a["probabilities"]["yes"]] for a in answers])
    assert (theirs.argmax(axis=1) == ours.argmax(axis=1)).all()
    assert len(set(theirs.argmax(axis=1))) == 2
    assert theirs == pytest.approx(ours, abs=0.02)  # the end of text, which only ours includes, is all but certain
    assert [a["choice"] for a in answers] == [["no", "yes"][k] for k in ours.argmax(axis=1)]
    noul = [decide({"state": s, "questions": {"q": {"type": "noul"}}})["q"]["noul"] for s in sequences]
    assert noul == pytest.approx(theirs[:, 1].tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("state", "question", "message"),
    [
        ("ACGT", {"type": "choice", "criteria": {"yes": None, "no": None}}, "in this order: no, yes"),
        ("ACGT", {"type": "choice", "criteria": {"no": None}}, "in this order: no, yes"),
        ("ACGT", {"type": "score", "criteria": ["a", "b"]}, "questions of type choice or noul"),
        ({"dna": "ACGT"}, CHOICE, "given as the text of `state`"),
    ],
)
def test_a_question_the_labels_do_not_fit_is_refused(decide, state, question, message):
    with pytest.raises(jinja2.TemplateError, match=message):
        decide({"state": state, "questions": {"q": question}})


def test_a_pair_keeps_the_lines_of_its_input(tokenizer, tmp_path):
    text = task_yaml("pair", {"0": "no", "1": "yes"}, PROMOTER).replace("kind: classification", "kind: pair")
    path = tmp_path / "pair.yaml"
    path.write_text(text.replace("{sequence: sequence, label: label}", "{sequence1: a, sequence2: b, label: label}"))
    template = ImmutableSandboxedEnvironment().from_string(decision_template(tokenizer, load_task(path)))
    state = "Sequence 1: ACGT\nSequence 2: ACGA"
    rendered = template.render(state=state, question={"type": "choice", "options": ["no", "yes"], "instructions": "Q?"})
    assert rendered == render_prompts(tokenizer, ["Q?"], [state])[0]


@pytest.mark.slow
@pytest.mark.parametrize("named", [False, True], ids=["found in the checkpoint", "named by an option"])
def test_the_server_answers_over_http_as_the_pipeline(tuned, decide, named):
    if not all(importlib.util.find_spec(name) for name in ("fastapi", "uvicorn", "openai")):
        pytest.skip("the server is not installed: pip install -e .[serve]")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transformers = "import sys; from transformers.cli.transformers import main; sys.exit(main())"
    turned = {"type": "choice", "criteria": {"yes": None, "no": None}}
    command = [sys.executable, "-c", transformers, "serve", str(tuned[0]), "--device", "cpu", "--port", str(port),
               "--host", "127.0.0.1", *(["--decision-config", str(tuned[0] / FOLDER / "at_rich.json")] if named else [])]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server)
        for state in dna(4, 4):
            body = {"model": str(tuned[0]), "state": state, "questions": {"q": CHOICE}}
            answer = post(f"http://127.0.0.1:{port}/v1/systemone", body)["answers"]["q"]
            expected = decide({"state": state, "questions": {"q": CHOICE}})["q"]
            assert answer["choice"] == expected["choice"]
            assert answer["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)
        with pytest.raises(urllib.error.HTTPError):  # options in another order
            post(f"http://127.0.0.1:{port}/v1/systemone", body | {"questions": {"q": turned}})
    finally:
        server.terminate()
        server.wait(timeout=30)


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def wait_for(url, server):
    for _ in range(240):
        assert server.poll() is None, server.stdout.read()[-2000:]
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    raise AssertionError("the server did not start within two minutes")
