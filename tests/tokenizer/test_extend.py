import json
import re

import pytest
from published_layouts import BASES

from dnahlm.io import InputError
from dnahlm.manifest import read_manifest
from dnahlm.tokenizer.extend import ExtendConfig, run
from dnahlm.tokenizer.graft import is_dna
from dnahlm.tokenizer.load import fingerprint, load_tokenizer, read_tokenizer


@pytest.fixture(scope="module")
def base_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published") / "gpt2"
    BASES["gpt2"]().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def corpus(make_corpus):
    return make_corpus(dna=["genome.fa"], text=["english.txt"])


def config(base, corpus, output, **settings):
    return ExtendConfig(base=str(base), corpus=str(corpus), output=str(output), **settings)


def test_stage_writes_tokenizer_report_and_manifest(base_folder, corpus, tmp_path, capsys):
    manifest = run(config(base_folder, corpus, tmp_path / "tok", dna_tokens=200, max_dna_token=4))
    base, tokenizer = read_tokenizer(base_folder), load_tokenizer(tmp_path / "tok")
    assert read_manifest(tmp_path / "tok", "tokenizer extend") == json.loads(json.dumps(manifest))
    assert manifest["tokenizer_sha256"] == fingerprint(tokenizer) != manifest["base_sha256"] == fingerprint(base)
    counts = manifest["counts"]
    assert (counts["base_entries"], counts["dna_tokens"]) == (len(base), 200)
    assert counts["vocab_size"] == len(tokenizer) == len(base) + 1 + 200 + 1  # mark, DNA, pad
    assert counts["english_compared"] > 0
    dna = [token[1:] for token in tokenizer.get_vocab() if is_dna(token)]
    assert len(dna) == 200 and max(map(len, dna)) == 4
    report = json.loads((tmp_path / "tok/report.json").read_text())
    assert report["bases_per_dna_token"] > counts["held_out_bases"] / counts["base_dna_tokens"]
    out = capsys.readouterr().out
    assert f"added 200 DNA tokens to the {len(base)} ids" in out
    assert f"the same ids as before on all {counts['english_compared']} held-out English documents" in out


def test_extending_twice_gives_the_same_tokenizer(base_folder, corpus, tmp_path):
    for name in ("one", "two"):
        run(config(base_folder, corpus, tmp_path / name, dna_tokens=50))
    assert (tmp_path / "one/tokenizer.json").read_bytes() == (tmp_path / "two/tokenizer.json").read_bytes()


def test_a_cap_that_gives_fewer_tokens_is_said(base_folder, corpus, tmp_path, capsys):
    run(config(base_folder, corpus, tmp_path / "tok", dna_tokens=200, max_dna_token=2))
    assert re.search(r"the corpus gave only \d+ of the 200 DNA tokens asked for", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"dna_tokens": 4}, "dna_tokens: 4"),
        ({"dna_tokens": 20_000_000_000}, "dna_tokens: 20,000,000,000; must be at most 1,000,000"),
        ({"min_dna_run": 0}, "min_dna_run"),
        ({"max_dna_token": 0}, "max_dna_token"),
        ({"base": "no/such/folder/here"}, "no such folder"),
    ],
)
def test_settings_that_cannot_work_leave_nothing(base_folder, corpus, tmp_path, settings, said):
    with pytest.raises(InputError, match=said):
        run(config(**{"base": base_folder, "corpus": corpus, "output": tmp_path / "tok", **settings}))
    assert not list(tmp_path.iterdir())


def test_a_corpus_without_dna_is_refused(base_folder, make_corpus, tmp_path):
    with pytest.raises(InputError, match="no DNA run of 8 bases"):
        run(config(base_folder, make_corpus(text=["english.txt"]), tmp_path / "tok"))
    assert not list(tmp_path.iterdir())


def test_the_output_of_an_earlier_run_is_no_base(base_folder, corpus, tmp_path):
    run(config(base_folder, corpus, tmp_path / "tok", dna_tokens=20))
    before = (tmp_path / "tok/tokenizer.json").read_bytes()
    with pytest.raises(InputError, match="already isolates DNA"):
        run(config(tmp_path / "tok", corpus, tmp_path / "again"))
    with pytest.raises(InputError, match="also the input"):
        run(config(tmp_path / "tok", corpus, tmp_path / "tok", overwrite=True))
    assert (tmp_path / "tok/tokenizer.json").read_bytes() == before and not (tmp_path / "again").exists()
