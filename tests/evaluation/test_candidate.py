"""Models that are not ours, from their folders to the same tables."""

import json
import shutil

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    GPT2Config,
    GPT2ForSequenceClassification,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Mamba2Config,
    Mamba2ForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from dnahlm.evaluation.asking import ask
from dnahlm.evaluation.candidate import head_scores, open_candidate, require_candidates
from dnahlm.evaluation.protocol import EvaluateConfig, run
from dnahlm.evaluation.ways import Way
from dnahlm.io import InputError
from dnahlm.manifest import StageClock, write_manifest
from dnahlm.tasks.prompt import render_prompt
from dnahlm.tasks.spec import load_task
from dnahlm.tokenizer.load import template_fingerprint

CHATML = (
    "{%- for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is not defined or enable_thinking %}{{ '<think>' }}{%- endif %}{%- endif %}"
)
ANSWERS = ["non-promoter", "promoter"]


def small_tokenizer(eos, bos=None, template=None):
    """A byte-level BPE with the special tokens of another family, without pad token."""
    special = [t for t in (eos, bos, "<|im_start|>", "<|endoftext|>") if t]
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer, raw.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    raw.train_from_iterator(
        ["ACGT promoter"] * 3, trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet)
    )
    if bos:
        raw.post_processor = processors.TemplateProcessing(f"{bos} $A", special_tokens=[(bos, raw.token_to_id(bos))])
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token=eos, bos_token=bos, chat_template=template)


def save(folder, model, tokenizer):
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


SIZE = {
    "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "max_position_embeddings": 2048,
}  # fmt: skip


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    """A base model: no chat template, no pad token, a start token before every text."""
    tokenizer = small_tokenizer("</s>", "<s>")
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **SIZE)).eval()
    return save(tmp_path_factory.mktemp("llama"), model, tokenizer)


@pytest.fixture(scope="module")
def qwen(tmp_path_factory):
    """A chat model with a template of its own that would begin to think."""
    tokenizer = small_tokenizer("<|im_end|>", template=CHATML)
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(Qwen2Config(vocab_size=len(tokenizer), **SIZE)).eval()
    return save(tmp_path_factory.mktemp("qwen"), model, tokenizer)


def make_head(folder, answers, tokenizer):
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_embd=16, n_layer=2, n_head=2, n_positions=64, num_labels=len(answers),
        id2label=dict(enumerate(answers)), label2id={a: k for k, a in enumerate(answers)}, initializer_range=0.3,
    )  # fmt: skip
    return save(folder, GPT2ForSequenceClassification(config).eval(), tokenizer)


@pytest.fixture(scope="module")
def head(tmp_path_factory, tiny_tokenizer):
    return make_head(tmp_path_factory.mktemp("head"), ANSWERS[::-1], tiny_tokenizer)


@pytest.fixture(scope="module")
def spec(world):
    return load_task(world / "instructions" / "tasks" / "core_promoter.yaml")


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    path = tmp_path_factory.mktemp("suite") / "s.yaml"
    text = (
        "name: s\ndescription: d\nmax_rows: 6\nbaselines: [majority]\nn_bootstrap: 20\ncontrols: [no_dna, shuffled]\n"
    )
    path.write_text(text)
    return str(path)


def naive(model, tokenizer, prompt, answer):
    """Log-probability of the answer and the end token, from one plain forward pass over the whole text."""
    before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    after = [*tokenizer(answer, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    with torch.inference_mode():
        logits = model(torch.tensor([before + after])).logits[0].log_softmax(-1)
    return sum(logits[len(before) - 1 + i, token].item() for i, token in enumerate(after))


@pytest.mark.parametrize("name", ["llama", "qwen"])
def test_another_causal_model_is_scored_as_one_plain_forward_pass_would(request, name, spec):
    found = open_candidate(str(request.getfixturevalue(name)), "m1")
    rows = [{"instruction": "Is it a promoter or non-promoter?", "input": "ACGT" * n} for n in (3, 9)]
    answered = ask(found, spec, Way("scored", rows, ANSWERS), ANSWERS)
    model, tokenizer = found.loaded.model, found.loaded.tokenizer
    for row, chances in zip(rows, answered.chances, strict=True):
        prompt = render_prompt(tokenizer, row["instruction"], row["input"])
        scores = np.array([naive(model, tokenizer, prompt, answer) for answer in ANSWERS])
        expected = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
        assert chances == pytest.approx(expected, abs=1e-4)


def test_a_base_model_is_lent_the_alpaca_template_behind_its_start_token_and_that_is_said(llama):
    found = open_candidate(str(llama), "m1")
    prompt = render_prompt(found.loaded.tokenizer, "Is it?", "ACGT")
    assert prompt.startswith("<s>Below is an instruction")
    assert prompt.endswith("### Response:\n")
    assert found.template == "alpaca"
    assert any("no chat template: asked with the Alpaca one" in note for note in found.notes)
    assert not (llama / "chat_template.jinja").exists()


def test_a_chat_model_is_asked_with_its_own_template_and_does_not_think_aloud(qwen):
    found = open_candidate(str(qwen), "m1")
    assert render_prompt(found.loaded.tokenizer, "Is it?", "ACGT") == (
        "<|im_start|>user\nIs it?\n\nACGT<|im_end|>\n<|im_start|>assistant\n"
    )
    assert found.template == "own"


def test_other_models_and_ours_stand_in_the_same_tables(llama, qwen, world, suite, tmp_path):
    models = [str(world / "sft"), str(llama), str(qwen)]
    run(EvaluateConfig(models, str(tmp_path / "eval"), suite, str(world / "instructions")))
    report = json.loads((tmp_path / "eval" / "report.json").read_text())
    assert [(m["name"], m["type"], m["template"]) for m in report["models"]] == [
        ("m1", "gpt2", "alpaca"), ("m2", "llama", "alpaca"), ("m3", "qwen2", "own"),
    ]  # fmt: skip
    assert {t["model"] for t in report["tasks"]} == {"m1", "m2", "m3"}
    for task in report["tasks"]:
        assert {"scored", "generated", "held_out", "no_dna", "shuffled", "majority"} <= task["metrics"].keys()
        assert task["status"] == "unknown: the model has no manifest"
        assert (tmp_path / "eval" / "predictions" / task["model"] / "core_promoter.parquet").is_file()
    assert report["summary"] == []  # no mean over models that have nothing in common


def test_seeds_of_one_model_have_a_mean_that_other_models_are_not_mixed_into(llama, world, suite, tmp_path):
    torch.manual_seed(5)
    again = GPT2LMHeadModel.from_pretrained(world / "sft")
    for tensor in again.parameters():
        tensor.data += 0.1 * torch.randn_like(tensor)
    shutil.copytree(world / "sft", tmp_path / "again")
    again.save_pretrained(tmp_path / "again")
    models = [str(world / "sft"), str(llama), str(tmp_path / "again")]
    run(EvaluateConfig(models, str(tmp_path / "eval"), suite, str(world / "instructions")))
    report = json.loads((tmp_path / "eval" / "report.json").read_text())
    summary = {(s["task"], s["way"], s["metric"]): s for s in report["summary"]}
    values = [t["metrics"]["scored"]["brier"] for t in report["tasks"] if t["model"] in ("m1", "m3")]
    entry = summary["core_promoter", "scored", "brier"]
    assert entry["models"] == ["m1", "m3"]
    assert len(set(values)) == 2
    assert (entry["mean"], entry["sd"]) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    assert not any(way == "majority" for _, way, _ in summary)
    assert "m1 m3" in (tmp_path / "eval" / "report.md").read_text()


def test_a_model_without_attention_or_context_is_asked_too(world, suite, tmp_path):
    size = {"num_hidden_layers": 1, "num_heads": 4, "head_dim": 8, "state_size": 4, "n_groups": 1, "hidden_size": 16}
    tokenizer = small_tokenizer("<|endoftext|>", template=CHATML)
    model = Mamba2ForCausalLM(Mamba2Config(vocab_size=len(tokenizer), **size))
    folder = save(tmp_path / "mamba", model, tokenizer)
    run(EvaluateConfig([str(folder)], str(tmp_path / "eval"), suite, str(world / "instructions")))
    (task,) = json.loads((tmp_path / "eval" / "report.json").read_text())["tasks"]
    assert {"scored", "generated", "held_out"} <= task["metrics"].keys()


def test_a_classification_head_gives_what_its_own_forward_pass_gives(head):
    found = open_candidate(str(head), "m1")
    texts = ["ACGTACGTAA", "ACGT" * 20, "TTGACAATTACGGACATTT"]
    scores = head_scores(found, texts, ANSWERS, batch_size=2)
    for text, row in zip(texts, scores, strict=True):
        ids = torch.tensor([found.loaded.tokenizer(text)["input_ids"]])
        with torch.inference_mode():
            alone = found.loaded.model(ids).logits[0].log_softmax(-1)
        assert row == pytest.approx(alone.flip(0).numpy(), abs=1e-5)


def test_a_classification_head_stands_beside_a_language_model(head, world, suite, tmp_path):
    run(EvaluateConfig([str(world / "sft"), str(head)], str(tmp_path / "eval"), suite, str(world / "instructions")))
    language, classifier = json.loads((tmp_path / "eval" / "report.json").read_text())["tasks"]
    assert classifier["model"] == "m2"
    assert set(classifier["metrics"]) == {"scored", "shuffled", "majority"}
    assert classifier["metrics"]["majority"] == language["metrics"]["majority"]
    assert classifier["invalid_share"] is None


def test_a_head_for_another_task_is_refused(world, suite, tiny_tokenizer, tmp_path):
    make_head(tmp_path / "head", ["donor", "acceptor"], tiny_tokenizer)
    with pytest.raises(InputError, match=r"gives \['donor', 'acceptor'\]; that is not the task core_promoter"):
        run(EvaluateConfig(str(tmp_path / "head"), str(tmp_path / "eval"), suite, str(world / "instructions")))
    assert not (tmp_path / "eval").exists()


def test_a_head_without_names_is_refused(tiny_tokenizer, tmp_path):
    make_head(tmp_path / "head", ["LABEL_0", "LABEL_1"], tiny_tokenizer)
    with pytest.raises(InputError, match=r"no names .* under id2label"):
        open_candidate(str(tmp_path / "head"), "m1")


def test_a_sequence_too_long_for_a_head_is_refused_not_cut(head):
    with pytest.raises(InputError, match=r"row 2 of 2: \d+ tokens exceed the 64"):
        head_scores(open_candidate(str(head), "m1"), ["ACGT", "ACGT" * 100], ANSWERS)


def test_a_tokenizer_without_end_token_is_refused(llama, tmp_path):
    shutil.copytree(llama, tmp_path / "m")
    path = tmp_path / "m" / "tokenizer_config.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "eos_token"}))
    with pytest.raises(InputError, match="no eos_token"):
        open_candidate(str(tmp_path / "m"), "m1")


def test_a_template_that_is_not_the_one_of_the_tuning_is_refused(tuned_folder, tmp_path):
    folder = tmp_path / "sft"
    shutil.copytree(tuned_folder, folder)
    digest = template_fingerprint(open_candidate(str(folder), "m1").loaded.tokenizer)
    write_manifest(folder, "sft", {"seed": 1}, StageClock(), {}, {}, chat_template_sha256=digest)
    assert open_candidate(str(folder), "m1").template == "alpaca"
    (folder / "chat_template.jinja").write_text("{{ messages[0]['content'] }}\nAnswer:\n")
    with pytest.raises(InputError, match="chat template is not the one the model was tuned with"):
        open_candidate(str(folder), "m1")


def test_a_template_nobody_vouches_for_is_said(tuned_folder, tmp_path):
    shutil.copytree(tuned_folder, tmp_path / "sft")
    (tmp_path / "sft" / "chat_template.jinja").write_text("{{ messages[0]['content'] }}\nAnswer:\n")
    found = open_candidate(str(tmp_path / "sft"), "m1")
    assert found.template == "own"
    assert any("not the Alpaca one" in note for note in found.notes)


@pytest.mark.parametrize(("paths", "message"), [([], "none given"), (["a", "a"], "given twice")])
def test_no_model_or_one_twice_is_refused(paths, message):
    with pytest.raises(InputError, match=message):
        require_candidates(paths)


def test_a_copy_of_a_model_is_refused(tuned_folder, tmp_path):
    shutil.copytree(tuned_folder, tmp_path / "copy")
    with pytest.raises(InputError, match="has the same weights as"):
        require_candidates([str(tuned_folder), str(tmp_path / "copy")])


def test_a_second_model_that_is_none_is_refused_before_the_first_is_opened(world, suite, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: has no config\.json"):
        run(EvaluateConfig([str(world / "sft"), str(tmp_path / "empty")], str(tmp_path / "eval"), suite))
