"""Questions drawn anew each epoch: train phrasings only, the same after a resume, none at evaluation."""

import pytest

from dnahlm.dna import reverse_complement
from dnahlm.io import InputError
from dnahlm.model.adapters import AdapterArguments
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.prompt import render_prompt
from dnahlm.tasks.prompt_encoder import PromptEncoder
from dnahlm.tasks.spec import load_task
from dnahlm.training.epochs import EpochCollator
from dnahlm.training.examples import encode_records, lengths_of
from dnahlm.training.redraw import Questions
from dnahlm.training.sft import SftArguments, SftDataArguments, run


@pytest.fixture(scope="module")
def records(instructions):
    return read_instructions(instructions / "train.jsonl")[:64]


@pytest.fixture(scope="module")
def specs(instructions):
    return {"strength": load_task(instructions / "tasks" / "strength.yaml")}


def asked(records, specs, what, epoch, seed=0):
    questions = Questions(records, specs, what, seed, {})
    return [questions.ask(row, epoch) for row in range(len(records))]


def test_an_epoch_asks_in_train_phrasings_and_every_order_of_the_options(records, specs):
    found = {question for epoch in range(8) for question, _ in asked(records, specs, ["phrasings"], epoch)}
    assert found == {
        f"Question {i}: is it weak or strong? Answer {order}." for i in range(8)
        for order in ("weak or strong", "strong or weak")
    }  # fmt: skip


def test_epochs_differ_and_hang_on_seed_and_row_alone(records, specs):
    one, again, next_epoch = (asked(records, specs, ["phrasings", "strands"], epoch) for epoch in (3, 3, 4))
    assert one == again and one != next_epoch and one != asked(records, specs, ["phrasings", "strands"], 3, seed=1)
    backwards = asked(records[::-1], specs, ["phrasings", "strands"], 3)[::-1]
    assert one == backwards


def test_strands_are_drawn_about_as_often_each_and_only_where_a_task_has_no_direction(records, specs):
    inputs = [[input for _, input in asked(records, specs, ["strands"], epoch)] for epoch in range(10)]
    for row, record in enumerate(records):
        assert {epoch[row] for epoch in inputs} <= {record["input"], reverse_complement(record["input"])}
    turned = sum(input != r["input"] for epoch in inputs for input, r in zip(epoch, records, strict=True))
    assert 0.4 < turned / (10 * len(records)) < 0.6
    directed = load_task(specs["strength"].path)
    directed.strand_symmetric = False
    assert [i for _, i in asked(records, {"strength": directed}, ["strands"], 1)] == [r["input"] for r in records]


def test_what_is_not_to_be_drawn_stays(records, specs):
    assert [q for q, _ in asked(records, specs, ["strands"], 1)] == [r["instruction"] for r in records]
    assert [i for _, i in asked(records, specs, ["phrasings"], 1)] == [r["input"] for r in records]


def test_an_epochs_rows_are_the_tokens_of_its_questions_and_the_answers(tiny_tokenizer, records, specs, instructions):
    rows = encode_records(tiny_tokenizer, records, 256, instructions / "train.jsonl")
    questions = Questions(records, specs, ["phrasings", "strands"], 0, {})
    collator = EpochCollator(PromptEncoder(tiny_tokenizer), records, questions, None, 0, 256)
    collator.epoch = 2
    for row, made in enumerate(collator(list(rows))):
        prompt = render_prompt(tiny_tokenizer, *questions.ask(row, 2))
        answer = records[row]["output"] + tiny_tokenizer.eos_token
        assert tiny_tokenizer.decode(made["input_ids"]) == prompt + answer
        assert tiny_tokenizer.decode([i for i in made["labels"] if i != -100]) == answer


def test_no_question_of_any_epoch_is_longer_than_the_length_rows_are_grouped_by(
    tiny_tokenizer, records, specs, instructions
):
    rows = encode_records(tiny_tokenizer, records, 256, instructions / "train.jsonl")
    questions = Questions(records, specs, ["phrasings"], 0, {})
    collator = EpochCollator(PromptEncoder(tiny_tokenizer), records, questions, None, 0, 256)
    longest = collator.longest(rows["row"], lengths_of(rows))
    for epoch in range(6):
        collator.epoch = epoch
        assert all(len(made["input_ids"]) <= n for made, n in zip(collator(list(rows)), longest, strict=True))
    collator.max_length = int(longest.max()) - 1
    with pytest.raises(InputError, match=r"redraw: \d+ train rows are longer than the \d+ tokens"):
        collator.longest(rows["row"], lengths_of(rows))


def test_bases_are_replaced_at_the_rate_asked_for_anew_in_each_epoch(records, specs):
    questions = Questions(records, specs, [], 0, {}, mutation_rate=0.2)
    changed = total = 0
    for epoch in range(10):
        for row, record in enumerate(records):
            instruction, input = questions.ask(row, epoch)
            assert instruction == record["instruction"] and len(input) == len(record["input"])
            assert questions.ask(row, epoch) == (instruction, input)
            changed += sum(a != b for a, b in zip(input, record["input"], strict=True))
            total += len(input)
    assert 0.18 < changed / total < 0.22
    assert questions.ask(0, 1) != questions.ask(0, 2)
    assert questions.ask(0, 1, mutate=False)[1] == records[0]["input"]


def test_both_sequences_of_a_pair_stay_as_they_are(records, specs):
    pair = {**records[0], "input": "Reference: ACGTACGTACGTACGT\nAlternative: ACGTACGTACGTACGA"}
    assert Questions([pair], specs, [], 0, {}, mutation_rate=0.5).ask(0, 0)[1] == pair["input"]


def test_a_row_whose_mutated_bases_do_not_fit_is_shown_as_it_is(tiny_tokenizer, records, specs, instructions):
    rows = encode_records(tiny_tokenizer, records, 256, instructions / "train.jsonl")
    questions = Questions(records, specs, [], 0, {}, mutation_rate=0.5)
    lengths = lengths_of(rows)
    row = rows[int(lengths.argmin())]  # few tokens: most other bases take more
    collator = EpochCollator(PromptEncoder(tiny_tokenizer), records, questions, None, 0, int(lengths.min()))
    shown = []
    for collator.epoch in range(30):
        shown += collator.anew([row])
    assert all(len(new["input_ids"]) <= lengths.min() for new in shown)
    assert any(new["input_ids"] == row["input_ids"] for new in shown)


def test_a_build_in_one_wording_can_have_its_strands_drawn_and_its_bases_replaced(records, specs):
    questions = Questions(records, specs, ["strands"], 0, {"wording": "dnahlm_v1"}, mutation_rate=0.1)
    assert questions.ask(0, 0)[0] == records[0]["instruction"]


@pytest.mark.parametrize("rate", [-0.1, 0.6])
def test_a_mutation_rate_out_of_range_is_refused(records, specs, rate):
    with pytest.raises(InputError, match=r"mutation_rate: .*from 0 \(off\) to 0\.5"):
        Questions(records, specs, [], 0, {}, mutation_rate=rate)


@pytest.fixture
def batches(monkeypatch):
    """What the model is trained and evaluated on, in order; stops after `.stop` batches."""
    from dnahlm.training.answer_trainer import AnswerTrainer

    class Seen(list):
        stop = None

    seen, compute = Seen(), AnswerTrainer.compute_loss

    def watched(self, model, inputs, *args, **kwargs):
        seen.append((model.training, inputs["input_ids"].tolist()))
        if len(seen) == seen.stop:
            raise KeyboardInterrupt
        return compute(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(AnswerTrainer, "compute_loss", watched)
    return seen


def tune(checkpoint, instructions, output, redraw, **more):
    settings = {
        "num_train_epochs": 2, "per_device_train_batch_size": 8, "learning_rate": 1e-3, "disable_tqdm": True,
        "precision": "fp32", "save_strategy": "steps", "save_steps": 1, "use_cpu": True,
        "activation_checkpointing": False, "train_sampling_strategy": "group_by_length",
    } | more  # fmt: skip
    data = SftDataArguments(str(checkpoint), str(instructions), redraw=redraw)
    return run(data, AdapterArguments(), SftArguments(output_dir=str(output), **settings))


@pytest.mark.slow
def test_a_resumed_run_asks_what_the_whole_run_would_have_asked(checkpoint, few, tmp_path, batches):
    what = ["phrasings", "strands"]
    tune(checkpoint, few, tmp_path / "whole", what)
    whole = [ids for training, ids in batches if training]
    assert len(whole) == 6 and sorted(map(str, whole[:3])) != sorted(map(str, whole[3:]))
    batches.clear()
    batches.stop = 5  # in the second epoch
    with pytest.raises(KeyboardInterrupt):
        tune(checkpoint, few, tmp_path / "stopped", what)
    batches.clear()
    batches.stop = None
    tune(checkpoint, few, tmp_path / "stopped", what, resume_from_checkpoint="true")
    assert [ids for training, ids in batches if training] == whole[4:]


def test_validation_rows_stay_as_they_were_built(checkpoint, few, tmp_path, batches, tiny_tokenizer):
    tune(checkpoint, few, tmp_path / "sft", ["phrasings", "strands"], num_train_epochs=1)
    built = encode_records(tiny_tokenizer, read_instructions(few / "validation.jsonl"), 256, few)["input_ids"]
    given = [[i for i in r if i != tiny_tokenizer.pad_token_id] for training, b in batches if not training for r in b]
    assert sorted(given) == sorted(map(list, built))


@pytest.mark.parametrize(
    ("what", "built", "message"),
    [
        (["colours"], {}, "redraw: found 'colours'; allowed: phrasings, strands"),
        (["phrasings"], {"examples": 2}, "built with examples"),
        (["phrasings"], {"wording": "dnahlm_v1"}, "built with wording"),
    ],
)
def test_what_cannot_be_drawn_anew_is_refused(records, specs, what, built, message):
    with pytest.raises(InputError, match=message):
        Questions(records, specs, what, 0, built)
