import pytest
import yaml

from dnahlm.evaluation.suite import load_suite, suites
from dnahlm.io import InputError


@pytest.mark.parametrize("name", sorted(suites()))
def test_shipped_suite_loads_and_is_named_like_its_file(name):
    assert load_suite(name).name == name


def test_smoke_and_full_are_shipped():
    assert {"smoke", "full"} <= set(suites())


def test_a_misspelt_suite_name_gets_a_hint():
    with pytest.raises(InputError, match=r"smok: no such suite\. Did you mean 'smoke'"):
        load_suite("smok")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("split", "tset", r"my\.yaml:3: split: found 'tset'. Did you mean 'test'"),
        ("split", "train", "split: found 'train'"),
        ("split", "validation", "held_out_phrasing: only the test split"),
        ("max_rows", -1, r"my\.yaml:3: max_rows: found -1; it must be 0"),
        ("baselines", ["kmer"], "unknown baseline 'kmer'. Did you mean 'kmer_lr'"),
        ("tasks", ["a", "b", "a"], "task 'a' is listed twice"),
        ("max_row", 5, "unknown key 'max_row'. Did you mean 'max_rows'"),
        ("path", "x", "unknown key 'path'"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(tmp_path, key, value, message):
    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump({"name": "my", "description": "mine", key: value}, sort_keys=False))
    with pytest.raises(InputError, match=message):
        load_suite(str(path))
