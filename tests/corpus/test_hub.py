"""English from data sets of the hub, here local folders laid out like one, and what is said where one cannot be had."""

import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dnahlm.corpus.build import CorpusConfig, run
from dnahlm.io import InputError

PAGES = [" ".join(f"Page{number} has word{word}" for word in range(9 * number)) for number in range(1, 13)]


@pytest.fixture
def folder(tmp_path):
    """A data set with two configurations and two splits, as a hub repository holds it."""
    root = tmp_path / "owner" / "set"
    for split, rows in (("train", PAGES), ("test", PAGES[:3])):
        (root / "plain").mkdir(parents=True, exist_ok=True)
        table = pa.table({"number": list(range(len(rows))), "content": rows})
        pq.write_table(table, root / "plain" / f"{split}-00000.parquet")
    (root / "second").mkdir()
    pq.write_table(pa.table({"text": PAGES}), root / "second" / "all.parquet")
    (root / "README.md").write_text(
        "---\nconfigs:\n"
        "- config_name: plain\n  data_files:\n  - {split: train, path: plain/train*}\n  - {split: test, path: plain/test*}\n"
        "- config_name: second\n  data_files: second/*.parquet\n---\n"
    )
    return tmp_path


def texts(output):
    return {row["text"] for split in ("train", "validation") for row in pq.read_table(output / split).to_pylist()}


def corpus(folder, *entries, name="out"):
    output = folder / name
    return output, run(CorpusConfig(str(output), data_root=str(folder), hub=list(entries), validation_share=0.2))


def test_the_rows_of_a_data_set_become_documents(folder):
    output, manifest = corpus(folder, "owner/set config=plain column=content")
    assert texts(output) == {page.strip() for page in PAGES}
    (source,) = manifest["counts"]["sources"].values()
    assert (source["kind"], source["records"]) == ("text", 12)
    assert manifest["counts"]["validation"]["text"]["documents"] >= 1
    assert "| owner/set config=plain column=content | English | 12 |" in (output / "README.md").read_text()


def test_configuration_split_and_column_are_chosen(folder):
    output, _ = corpus(folder, "owner/set config=plain split=test column=content")
    assert texts(output) == {page.strip() for page in PAGES[:3]}
    output, _ = corpus(folder, "owner/set config=second", name="second")
    assert texts(output) == {page.strip() for page in PAGES}


def test_copies_in_two_configurations_are_there_once(folder):
    output, manifest = corpus(folder, "owner/set config=second", "owner/set config=plain column=content")
    assert texts(output) == {page.strip() for page in PAGES}
    assert sum(source["duplicate_documents"] for source in manifest["counts"]["sources"].values()) == 12


BAD = [
    ("owner/set config=plain", r"no column 'text'; found: .*content.*Name it by column= under `hub`"),
    ("owner/set config=plain column=number", "row 1: column 'number' holds 0; text is needed"),
    ("owner/set config=none", r"split 'train' of configuration 'none'.*Check its name, config= and split= under `hub`"),
    ("owner/set config=plain split=dev column=content", "split 'dev'"),
]


@pytest.mark.parametrize(("entry", "said"), BAD)
def test_a_data_set_without_what_is_named_is_an_error(folder, entry, said):
    with pytest.raises(InputError, match=said):
        corpus(folder, entry)
    assert not (folder / "out").exists()


def test_offline_a_name_says_how_to_give_a_folder(tmp_path):
    command = [sys.executable, "-m", "dnahlm", "corpus", "build", "--hub", "owner/none", "--output", "out"]
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    answer = subprocess.run(command, cwd=tmp_path, env=offline, capture_output=True, text=True)
    assert answer.returncode == 2
    (line,) = [line for line in answer.stderr.splitlines() if line.startswith("error: ")]
    assert "hf download owner/none --repo-type dataset --local-dir FOLDER" in line
    assert "give FOLDER in place of the name" in line
    assert not (tmp_path / "out").exists()
