import pytest

from dnahlm.io import InputError
from dnahlm.readers.formats import read_rows

NEEDED = ["sequence", "label"]


def read(path, text, columns=NEEDED):
    path.write_text(text)
    return [row.values for row in read_rows("jsonl", path, columns)]


@pytest.mark.parametrize(
    ("value", "text"),
    [("1", "1"), ("1.0", "1.0"), ("1.50", "1.50"), ("true", "true"), ('" a "', "a"), ("-2e3", "-2e3"), ('"1"', "1")],
)
def test_values_become_text_as_they_are_written(tmp_path, value, text):
    assert read(tmp_path / "x.jsonl", f'{{"label": {value}}}\n', ["label"]) == [{"label": text}]


def test_nested_values_and_nulls_nobody_needs_are_no_matter(tmp_path):
    assert read(tmp_path / "x.jsonl", '{"a": {"b": [1]}, "c": null, "label": 0}\n', ["label"]) == [{"label": "0"}]


def test_blank_lines_are_skipped_and_counted(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('\n{"label": 0}\n  \n{"label": 1}')
    assert [row.where[-2:] for row in read_rows("jsonl", path, ["label"])] == [":2", ":4"]


GOOD = '{"sequence": "AC", "label": 1}\n'
BAD = {
    GOOD + '{"sequence": "AC"}\n': "x.jsonl:2: no column 'label'; found: 'sequence'",
    GOOD + '{"sequence": "AC", "label": null}\n': "x.jsonl:2: column 'label' is empty",
    GOOD + '{"sequence": "AC", "label": [1]}\n': "x.jsonl:2: column 'label' holds nested values",
    GOOD + '{"sequence": "AC", "label": {}}\n': "x.jsonl:2: column 'label' holds nested values",
    GOOD + '{"sequence": "AC", "label": NaN}\n': "x.jsonl:2: not JSON (NaN is no JSON value)",
    GOOD + '{"sequence": " ", "label": 1}\n': "x.jsonl:2: column 'sequence' is empty",
    GOOD + '{"sequence": "A\\nC", "label": 1}\n': "x.jsonl:2: column 'sequence' holds a quoted newline",
    GOOD + '{"sequence": "AC", "label": 1, "label": 0}\n': "x.jsonl:2: column 'label' is there 2 times",
    GOOD + GOOD.strip() + GOOD: "x.jsonl:2: not JSON (Extra data",
    GOOD + GOOD[:20]: "x.jsonl:2: not JSON",
    GOOD + "[" * 100_000: "x.jsonl:2: not JSON",
    "[" + GOOD.strip() + "]\n": 'x.jsonl:1: found \'[{"sequence"',
    "7\n": "a line must be one object",
    "\n \n": "nothing but blank lines",
    "": "the file is empty",
}


@pytest.mark.parametrize(("text", "said"), BAD.items(), ids=[text[-40:] or "nothing" for text in BAD])
def test_a_bad_line_is_an_error_with_its_number(tmp_path, text, said):
    with pytest.raises(InputError) as error:
        read(tmp_path / "x.jsonl", text)
    assert said in str(error.value)


def test_half_a_character_is_an_error_with_its_place_and_a_whole_one_is_read(tmp_path):
    assert read(tmp_path / "x.jsonl", '{"label": "\\ud83d\\ude00"}\n', ["label"]) == [{"label": "😀"}]
    with pytest.raises(InputError, match=r"x.jsonl:1: '\\ud83d' is half a character .* character 3 of 'a \\ud83d'"):
        read(tmp_path / "x.jsonl", '{"label": "a \\ud83d"}\n', ["label"])


def test_the_real_pairs_are_read_with_every_row(data_root):
    path = data_root / "coding/dna_protein_150_train.jsonl.gz"
    rows = list(read_rows("jsonl", path, ["sentence1", "sentence2", "label"]))
    assert len(rows) == 12_883
    assert {row.values["label"] for row in rows} == {"0", "1"}
