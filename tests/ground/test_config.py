from dataclasses import dataclass, field

import pytest

from dnahlm.config import build, load_yaml, parse
from dnahlm.io import InputError


@dataclass
class Recipe:
    output: str
    learning_rate: float = 1e-3
    names: list[str] = field(default_factory=list)
    note: str | None = None
    overwrite: bool = False


@dataclass
class Inner:
    bases: int = 0


@dataclass
class Nested:
    id: str
    inner: Inner = field(default_factory=Inner)
    labels: dict[str, str] = field(default_factory=dict)


def write(tmp_path, text):
    (tmp_path / "r.yaml").write_text(text)
    return str(tmp_path / "r.yaml")


def test_the_command_line_overrides_the_file(tmp_path):
    (recipe,) = parse((Recipe,), ["--config", write(tmp_path, "output: a\nlearning_rate: 0.5\n"), "--output", "b"], "x")
    assert (recipe.output, recipe.learning_rate) == ("b", 0.5)


def test_scientific_notation_without_a_dot_is_a_number(tmp_path):
    (recipe,) = parse((Recipe,), ["--config", write(tmp_path, "output: a\nlearning_rate: 2e-5\n")], "x")
    assert recipe.learning_rate == 2e-5


def test_a_misspelt_key_names_line_and_suggestion(tmp_path):
    with pytest.raises(InputError, match=r"r\.yaml:2: unknown key 'lerning_rate'.*'learning_rate'"):
        parse((Recipe,), ["--config", write(tmp_path, "output: a\nlerning_rate: 1\n")], "x")


def test_a_word_where_a_number_is_needed_names_the_line(tmp_path):
    with pytest.raises(InputError, match=r"r\.yaml:2: learning_rate: found the text 'fast'"):
        parse((Recipe,), ["--config", write(tmp_path, "output: a\nlearning_rate: fast\n")], "x")


def test_a_bare_no_where_text_is_needed_is_refused(tmp_path):
    with pytest.raises(InputError, match="Quote it"):
        parse((Recipe,), ["--config", write(tmp_path, "output: no\n")], "x")


def test_a_key_given_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match=r":2: key 'output' was already given on line 1"):
        load_yaml(write(tmp_path, "output: a\noutput: b\n"))


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text", "a: [1\n", "a: 'x\n"])
def test_a_file_that_is_no_mapping_is_refused_by_name(tmp_path, text):
    with pytest.raises(InputError, match=r"r\.yaml"):
        load_yaml(write(tmp_path, text))


def test_a_missing_recipe_is_named():
    with pytest.raises(InputError, match=r"nowhere\.yaml"):
        parse((Recipe,), ["--config", "nowhere.yaml"], "x")


def test_nested_files_are_as_strict(tmp_path):
    path = write(tmp_path, "id: x\ninner: {base: 3}\n")
    with pytest.raises(InputError, match=r"r\.yaml:2: unknown key 'base'.*'bases'"):
        build(Nested, load_yaml(path), path)


@pytest.mark.parametrize("labels", ["{0: a}", "{no: a}", "{'0': no}"])
def test_label_keys_and_words_must_be_quoted_text(tmp_path, labels):
    path = write(tmp_path, f"id: x\nlabels: {labels}\n")
    with pytest.raises(InputError, match="Quote it"):
        build(Nested, load_yaml(path), path)


def test_a_missing_key_is_named(tmp_path):
    path = write(tmp_path, "inner: {bases: 3}\n")
    with pytest.raises(InputError, match="'id' is missing"):
        build(Nested, load_yaml(path), path)
