"""Records as training examples: whole, or left out and counted."""

import pytest

from dnahlm.io import InputError
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.prompt import encode, render_prompts
from dnahlm.training.examples import check_padding, encode_records, lengths_of


@pytest.fixture(scope="module")
def records(instructions):
    return read_instructions(instructions / "train.jsonl")[:40]


def test_ids_and_labels_are_those_of_the_rendered_records(tiny_tokenizer, records, tmp_path):
    rows = encode_records(tiny_tokenizer, records, 256, tmp_path)
    prompts = render_prompts(tiny_tokenizer, [r["instruction"] for r in records], [r["input"] for r in records])
    asked, answered = encode(tiny_tokenizer, prompts, [r["output"] for r in records])
    assert [list(ids) for ids in rows["input_ids"]] == [p + a for p, a in zip(asked, answered, strict=True)]
    assert [list(x) for x in rows["labels"]] == [[-100] * len(p) + a for p, a in zip(asked, answered, strict=True)]
    assert list(rows["row"]) == list(range(40))
    assert lengths_of(rows).tolist() == [len(p) + len(a) for p, a in zip(asked, answered, strict=True)]


def with_long_ones(records, n):
    return [{**r, "input": r["input"] * 40} if i < n else r for i, r in enumerate(records)]


def test_rows_whose_answer_would_be_cut_are_counted_and_refused(tiny_tokenizer, records, tmp_path):
    with pytest.raises(InputError, match=r"train\.jsonl:1: record .* 3 of 40 records are too long; nothing is cut"):
        encode_records(tiny_tokenizer, with_long_ones(records, 3), 256, tmp_path / "train.jsonl", max_too_long=0.05)


def test_below_the_share_that_may_be_left_out_the_others_stay_whole(tiny_tokenizer, records, tmp_path):
    rows = encode_records(tiny_tokenizer, with_long_ones(records, 3), 256, tmp_path, max_too_long=0.1)
    assert list(rows["row"]) == list(range(3, 40))
    whole = encode_records(tiny_tokenizer, records, 256, tmp_path)
    assert list(map(list, rows["input_ids"])) == list(map(list, whole["input_ids"][3:]))


def test_padding_beyond_what_the_model_sees_is_refused():
    check_padding(32, 256, 256)
    check_padding(None, 300, 300)
    with pytest.raises(InputError, match=r"rows of 290 tokens would be padded to 320; the model sees 300"):
        check_padding(32, 290, 300)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_out_of_range_is_refused(tiny_tokenizer, records, tmp_path, share):
    with pytest.raises(InputError, match="max_too_long"):
        encode_records(tiny_tokenizer, records, 256, tmp_path, share)
