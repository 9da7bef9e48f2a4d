"""English for the default corpus: the language documentation that every Python carries, as plain paragraphs."""

import re

from dnahlm.io import InputError

_UNDERLINE = re.compile(r"^\s*([*=\-~^#+|])\1{2,}\s*$|^\s*[+|][-=+| ]+$", re.MULTILINE)
_BULLET = re.compile(r"^\s*(?:\*|\d+\.|\[\d+\])\s+")
_CODE_MARKS = ("::=", ">>>", "|  ", " | ")
MIN_CHARACTERS = 60


def python_documentation() -> list[str]:
    """Paragraphs of `pydoc_data.topics`, one line each: prose only; headings, grammar, tables and code are dropped.

    Raises:
        InputError: this Python was packaged without its documentation topics.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise InputError(
            "pydoc_data.topics: this Python was installed without its documentation, which are the English here. "
            "Use a Python that has it (python.org, uv, conda; on Debian and Ubuntu the package libpython3-stdlib)."
        ) from error
    paragraphs = (clean_paragraph(text) for name in sorted(topics) for text in paragraphs_of(topics[name]))
    return list(dict.fromkeys(paragraph for paragraph in paragraphs if paragraph))


def paragraphs_of(topic: str) -> list[str]:
    """Blocks of lines between blank lines, heading underlines removed; a bullet begins a block of its own."""
    blocks = []
    for block in re.split(r"\n\s*\n", _UNDERLINE.sub("", topic)):
        blocks += re.split(r"\n(?=\s*(?:\*|\d+\.|\[\d+\])\s)", block)
    return blocks


def clean_paragraph(block: str) -> str:
    r"""The block on one line, or nothing if it is not prose.

    >>> clean_paragraph("* The assert statement is a convenient way to\n  insert debugging assertions.")
    'The assert statement is a convenient way to insert debugging assertions.'
    >>> clean_paragraph('   assert_stmt ::= "assert" expression')
    ''
    """
    block = re.sub(r"(\w)-\n\s*(?=\w)", r"\1-", block)  # a word broken at its own hyphen
    text = " ".join(_BULLET.sub("", block).split())
    letters = sum(character.isalpha() or character == " " for character in text)
    prose = letters > 0.8 * len(text) and re.search(r"[.:!?][)\"'”]*( \[\d+\])*$", text)
    if len(text) < MIN_CHARACTERS or any(mark in block for mark in _CODE_MARKS) or not prose:
        return ""
    return text
