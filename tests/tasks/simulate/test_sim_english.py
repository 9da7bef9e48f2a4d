import builtins
import re

import pytest

from dnahlm.io import InputError
from dnahlm.tasks.simulate.english import clean_paragraph, python_documentation


def test_documentation_is_paragraphs_of_sentences():
    paragraphs = python_documentation()
    assert len(paragraphs) > 500 and sum(map(len, paragraphs)) > 150_000
    assert all("\n" not in paragraph and len(paragraph) >= 60 for paragraph in paragraphs)
    assert not any(re.search(r"\*{4,}|={4,}|::=|>>>", paragraph) for paragraph in paragraphs)


def test_no_paragraph_comes_twice():
    paragraphs = python_documentation()
    assert len(paragraphs) == len(set(paragraphs))


def test_the_file_separates_paragraphs_by_blank_lines(organism):
    text = (organism / "english/python_docs.txt").read_text(encoding="utf-8")
    assert text.rstrip("\n").split("\n\n") == python_documentation()


@pytest.mark.parametrize(
    "block",
    [
        '   while_stmt ::= "while" assignment_expression ":" suite and a good deal more.',
        ">>> " + "a = b " * 20,
        "Too short.",
    ],
)
def test_code_grammar_and_scraps_are_dropped(block):
    assert clean_paragraph(block) == ""


def test_a_word_broken_at_its_hyphen_is_joined():
    block = "These names are used by the implementation to represent the pseudo-\ncompiled code of a function."
    assert "pseudo-compiled" in clean_paragraph(block)


def test_a_python_without_documentation_is_a_clear_error(monkeypatch):
    known = builtins.__import__

    def missing(name, *args, **kwargs):
        if name.startswith("pydoc_data"):
            raise ImportError(name)
        return known(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InputError, match=r"pydoc_data\.topics: this Python was installed without"):
        python_documentation()
