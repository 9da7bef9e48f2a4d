"""BPE-dropout in fine-tuning: new cuts each epoch, the same for a seed and after a resume, none at evaluation."""

import json

import pytest

from dnahlm.io import InputError
from dnahlm.model.adapters import AdapterArguments
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.prompt_encoder import PromptEncoder
from dnahlm.tokenizer.dropout import DnaDropout
from dnahlm.training.answer_trainer import AnswerTrainer
from dnahlm.training.epochs import EpochCollator
from dnahlm.training.examples import ROW, encode_records
from dnahlm.training.sft import SftArguments, SftDataArguments, run


@pytest.fixture
def seen(monkeypatch):
    """What the model is given, in order: (training or not, ids of the batch)."""
    batches = []
    compute = AnswerTrainer.compute_loss

    def watched(self, model, inputs, *args, **kwargs):
        batches.append((model.training, inputs["input_ids"].tolist(), inputs["labels"].tolist()))
        if len(batches) == batches_until_stop:
            raise KeyboardInterrupt
        return compute(self, model, inputs, *args, **kwargs)

    batches_until_stop = None

    def record(stop=None):
        nonlocal batches_until_stop
        batches.clear()
        batches_until_stop = stop
        return batches

    monkeypatch.setattr(AnswerTrainer, "compute_loss", watched)
    return record


def tune(checkpoint, instructions, output, bpe_dropout, **more):
    data = SftDataArguments(str(checkpoint), str(instructions), bpe_dropout=bpe_dropout)
    settings = {
        "num_train_epochs": 2, "per_device_train_batch_size": 8, "learning_rate": 1e-3, "disable_tqdm": True,
        "precision": "fp32", "save_strategy": "no", "use_cpu": True, "activation_checkpointing": False,
    } | more  # fmt: skip
    return run(data, AdapterArguments(), SftArguments(output_dir=str(output), **settings))


def texts(tokenizer, batches):
    return sorted(
        tokenizer.decode([i for i in row if i != tokenizer.pad_token_id]) for _, ids, _ in batches for row in ids
    )


def rows_of(tokenizer, instructions, p=0.3):
    records = read_instructions(instructions / "train.jsonl")
    dropout = DnaDropout(tokenizer, p)
    rows = encode_records(tokenizer, records, 256, instructions / "train.jsonl")

    def collator(seed, max_length):
        return EpochCollator(PromptEncoder(tokenizer), records, None, dropout, seed, max_length)

    return rows, collator, dropout


def test_question_answer_and_their_border_stay_and_the_dna_is_cut_anew(tiny_tokenizer, few):
    plain, make, dropout = rows_of(tiny_tokenizer, few)
    collator = make(seed=0, max_length=256)
    changed = 0
    for before in plain:
        (after,) = collator([before])
        assert tiny_tokenizer.decode(after["input_ids"]) == tiny_tokenizer.decode(before["input_ids"])
        ours, theirs = ([i for i in r["input_ids"] if i not in dropout.letters] for r in (after, before))
        assert ours == theirs
        assert len(after["labels"]) == len(after["input_ids"])
        targets = [label for label in before["labels"] if label != -100]
        assert after["labels"][-len(targets) :] == after["input_ids"][-len(targets) :] == targets
        assert set(after["labels"][: -len(targets)]) == {-100}
        changed += after["input_ids"] != before["input_ids"]
    assert changed > 20


def test_an_epoch_is_one_segmentation_whatever_the_batch(tiny_tokenizer, few):
    rows, make, _ = rows_of(tiny_tokenizer, few)
    rows = list(rows)

    def cuts(epoch, seed, order):
        collator = make(seed, 256)
        collator.epoch = epoch
        return {row[ROW]: one["input_ids"] for row, one in zip(order, collator(order), strict=True)}

    assert cuts(0, 7, rows) == cuts(0, 7, rows[::-1])
    assert cuts(0, 7, rows) != cuts(1, 7, rows) and cuts(0, 7, rows) != cuts(0, 8, rows)


def test_no_row_grows_beyond_the_length_the_model_sees(tiny_tokenizer, few):
    plain, make, _ = rows_of(tiny_tokenizer, few, p=0.9)
    longest = max(map(len, plain["input_ids"]))
    collated = make(0, longest)(list(plain))
    assert max(len(row["input_ids"]) for row in collated) <= longest


def test_tuning_sees_new_cuts_each_epoch_the_same_ones_for_a_seed_and_none_at_evaluation(
    checkpoint, few, tmp_path, seen, tiny_tokenizer
):
    runs = []
    for name in ("a", "b"):
        batches = seen()
        tune(checkpoint, few, tmp_path / name, 0.3)
        runs.append([batch for batch in batches if batch[0]])
        asked = [batch for batch in batches if not batch[0]]
    assert runs[0] == runs[1], "one seed, one run"
    first, second = runs[0][:3], runs[0][3:]
    assert texts(tiny_tokenizer, first) == texts(tiny_tokenizer, second), "the same rows in both epochs"
    ids = [
        sorted(str([i for i in row if i != tiny_tokenizer.pad_token_id]) for b in part for row in b[1])
        for part in (first, second)
    ]
    assert ids[0] != ids[1], "cut otherwise"
    records = read_instructions(few / "validation.jsonl")
    plain = encode_records(tiny_tokenizer, records, 256, few / "validation.jsonl")["input_ids"]
    given = [[i for i in row if i != tiny_tokenizer.pad_token_id] for b in asked for row in b[1]]
    assert sorted(given) == sorted(list(row) for row in plain)


def test_without_the_option_nothing_is_cut_anew(checkpoint, few, tmp_path, seen, tiny_tokenizer):
    batches = seen()
    tune(checkpoint, few, tmp_path / "plain", 0.0, num_train_epochs=1)
    records = read_instructions(few / "train.jsonl")
    plain = encode_records(tiny_tokenizer, records, 256, few / "train.jsonl")["input_ids"]
    given = [[i for i in row if i != tiny_tokenizer.pad_token_id] for b in batches if b[0] for row in b[1]]
    assert sorted(given) == sorted(list(row) for row in plain)


def test_a_resumed_run_sees_the_batches_the_whole_run_would_have_seen(checkpoint, few, tmp_path, seen):
    often = {"save_strategy": "steps", "save_steps": 1}
    batches = seen()
    tune(checkpoint, few, tmp_path / "whole", 0.3, **often)
    whole = [batch[1] for batch in batches if batch[0]]
    seen(stop=5)  # in the second epoch
    with pytest.raises(KeyboardInterrupt):
        tune(checkpoint, few, tmp_path / "stopped", 0.3, **often)
    batches = seen()
    tune(checkpoint, few, tmp_path / "stopped", 0.3, resume_from_checkpoint="true", **often)
    rest = [batch[1] for batch in batches if batch[0]]
    assert len(whole) == 6 and rest == whole[4:]


def test_what_is_saved_has_dropout_off_and_says_what_was_used(checkpoint, few, tmp_path):
    from transformers import AutoTokenizer

    tune(checkpoint, few, tmp_path / "sft", 0.3, max_steps=1)
    state = json.loads((tmp_path / "sft/tokenizer.json").read_text())
    assert state["model"]["dropout"] is None
    assert state == json.loads((checkpoint / "tokenizer.json").read_text())
    dna = "ACGTTGCA" * 10
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "sft")
    assert len({tuple(tokenizer(dna)["input_ids"]) for _ in range(20)}) == 1
    assert json.loads((tmp_path / "sft/manifest.json").read_text())["config"]["bpe_dropout"] == 0.3


def test_a_bad_probability_stops_before_anything_is_written(checkpoint, few, tmp_path):
    with pytest.raises(InputError, match="bpe_dropout"):
        tune(checkpoint, few, tmp_path / "sft", 1.5)
    assert not list(tmp_path.iterdir())
