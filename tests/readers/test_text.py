import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.io import InputError
from dnahlm.readers.text import LONGEST_DOCUMENT, read_documents

ODD_TEXT = st.lists(
    st.sampled_from(["word ", "\n", "\r\n", "\n\n", " \n", "é", "x" * 900, "y " * 700, "z" * 4500]), max_size=30
).map("".join)


def write(path, text):
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@settings(max_examples=40, deadline=None)
@given(text=ODD_TEXT.filter(str.strip))
def test_documents_hold_all_text_of_the_file_at_the_places_they_say(tmp_path_factory, text):
    documents = list(read_documents(write(tmp_path_factory.mktemp("t") / "x.txt.gz", text)))
    assert "".join("".join(d.text.split()) for d in documents) == "".join(text.split())
    for document in documents:
        assert text[document.start : document.end].replace("\r\n", "\n").replace("\r", "\n") == document.text
        assert 0 < len(document.text) <= LONGEST_DOCUMENT


def test_short_paragraphs_are_joined_and_never_cut(tmp_path):
    paragraphs = [f"Paragraph {i}. " + "All of it stays together. " * 10 for i in range(30)]
    documents = list(read_documents(write(tmp_path / "x.txt", "\n\n".join(paragraphs))))
    assert len(documents) < 10
    assert [p.strip() for d in documents for p in d.text.split("\n\n")] == [p.strip() for p in paragraphs]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("x.txt", "", "is empty"), ("x.txt", " \n\n", "nothing but white space"), ("x.pdf", "a", ".txt.gz")],
)
def test_bad_text_file_is_an_error(tmp_path, name, text, said):
    with pytest.raises(InputError, match=said):
        list(read_documents(write(tmp_path / name, text)))
