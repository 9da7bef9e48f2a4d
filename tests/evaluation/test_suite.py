import pytest
import yaml

from dnahlm.evaluation.suite import load_suite, suites
from dnahlm.io import InputError
from dnahlm.tasks.sources import local_path
from dnahlm.tasks.spec import load_task


@pytest.mark.parametrize("name", sorted(suites()))
def test_shipped_suite_loads_and_is_named_like_its_file(name):
    assert load_suite(name).name == name


def test_the_promised_suites_are_shipped_and_the_first_look_is_cheap():
    assert set(suites()) == {"smoke", "full", "gue", "genemask", "zero_shot"}
    assert load_suite("smoke").baselines == ["majority", "kmer_lr"]
    assert not load_suite("smoke").controls


@pytest.mark.parametrize("name", ["gue", "genemask"])
def test_every_task_of_a_data_suite_is_there_with_its_tables(name, data_root):
    for task in load_suite(name).tasks:
        spec = load_task(task)
        for split in spec.source.files:
            assert local_path(spec, data_root, spec.source.files[split], split).is_file()
        assert "test" in {*spec.source.files, *spec.source.hold_out}


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
        ("controls", ["shufled"], "unknown control 'shufled'. Did you mean 'shuffled'"),
        ("controls", ["no_dna", "no_dna"], "control 'no_dna' is listed twice"),
        ("few_shot", [0], "each number of examples must be 1 or more"),
        ("few_shot", 4, "found 4 where a list"),
        ("n_bootstrap", -5, "n_bootstrap: found -5"),
        ("max_row", 5, "unknown key 'max_row'. Did you mean 'max_rows'"),
        ("path", "x", "unknown key 'path'"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(tmp_path, key, value, message):
    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump({"name": "my", "description": "mine", key: value}, sort_keys=False))
    with pytest.raises(InputError, match=message):
        load_suite(str(path))
