import gzip
import json

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
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
    [("x.txt", "", "is empty"), ("x.txt", " \n\n", "nothing but white space"), ("x.pdf", "a", r"\.txt, \.jsonl")],
)
def test_bad_text_file_is_an_error(tmp_path, name, text, said):
    with pytest.raises(InputError, match=said):
        list(read_documents(write(tmp_path / name, text)))


def as_jsonl(path, texts):
    return write(path, "".join(json.dumps({"text": text, "url": "x"}) + "\n" for text in texts))


def as_parquet(path, texts):
    pyarrow.parquet.write_table(pyarrow.table({"text": texts, "url": ["x"] * len(texts)}), path)
    return path


@pytest.mark.parametrize(("name", "make"), [("x.jsonl", as_jsonl), ("x.jsonl.gz", as_jsonl), ("x.parquet", as_parquet)])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(ODD_TEXT, min_size=1, max_size=5).filter(lambda texts: any(map(str.strip, texts))))
def test_rows_are_records_that_are_cut_but_never_joined(tmp_path, name, make, texts):
    documents = list(read_documents(make(tmp_path / name, texts)))
    together = "".join(texts)
    assert sum(d.opens_record for d in documents) == sum(bool(text.strip()) for text in texts)
    for document in documents:
        assert together[document.start : document.end].replace("\r\n", "\n").replace("\r", "\n") == document.text
    records = ["".join(d.text.split()) for d in documents]
    assert "".join(records) == "".join(together.split())


def test_half_a_character_in_a_jsonl_document_is_named(tmp_path):
    with pytest.raises(InputError, match=r"x\.jsonl:2: '\\udc00' is half a character"):
        list(read_documents(write(tmp_path / "x.jsonl", '{"text": "fine"}\n{"text": "\\udc00"}\n')))


@pytest.mark.parametrize(
    ("line", "said"),
    [("{", ":2: not JSON"), ('{"content": "a"}', r":2: found keys \['content'\].*'text'"), ("[1]", r":2: found \[1\]")],
)
def test_a_jsonl_line_without_text_is_named(tmp_path, line, said):
    with pytest.raises(InputError, match=said):
        list(read_documents(write(tmp_path / "x.jsonl", f'{{"text": "fine"}}\n{line}\n')))


def test_a_parquet_file_without_a_text_column_says_which_it_has(tmp_path):
    pyarrow.parquet.write_table(pyarrow.table({"content": ["a"]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"has the columns content; a column 'text'"):
        list(read_documents(tmp_path / "x.parquet"))
