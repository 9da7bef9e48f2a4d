import pytest

from dnahlm.io import InputError
from dnahlm.yaml_file import line_of, load_yaml


def written(tmp_path, text):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("line", ["{2024-99-99: none}", "2024-99-99", "9" * 5000, "{0b_: none}"])
def test_what_yaml_takes_for_a_number_or_a_date_and_cannot_read_is_refused_with_its_line(tmp_path, line):
    with pytest.raises(InputError, match=r"x.yaml:2: found .*, which YAML takes for a number or a date"):
        load_yaml(written(tmp_path, f"id: a\nlabels: {line}\n"))


def test_a_merge_key_brings_the_keys_of_another_mapping(tmp_path):
    path = written(tmp_path, "base: &base {a: 1, b: 2}\nmore: {<<: *base, b: 3}\n")
    assert load_yaml(path)["more"] == {"a": 1, "b": 3}


def test_the_line_of_a_key_is_not_that_of_a_comment_a_text_or_an_inner_key_with_its_name(tmp_path):
    text = "# labels: below\nabout: 'labels: two'\nwordings: {paper: {labels: {a: b}}}\nlabels: {a: b}\n"
    assert line_of(written(tmp_path, text), "labels") == 4


def test_the_line_of_an_item_is_that_of_the_list_under_its_key(tmp_path):
    text = "about: {asked: 3}\nasked:\n  - one\n\n  - two\n"
    assert [line_of(written(tmp_path, text), "asked", item) for item in (0, 1, 2)] == [3, 5, 1]
