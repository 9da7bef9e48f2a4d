"""Proteins as the third kind of document, from the file to bits per residue."""

import pyarrow.parquet as pq
import pytest

from dnahlm.corpus.build import CorpusConfig
from dnahlm.corpus.build import run as build_corpus
from dnahlm.corpus.pack import PackConfig
from dnahlm.corpus.pack import run as pack
from dnahlm.io import InputError
from dnahlm.readers.sequences import read_proteins
from dnahlm.tokenizer.train import TokenizerConfig
from dnahlm.tokenizer.train import run as train_tokenizer

ALL = {"dna": ["*.fa"], "text": ["english.txt"], "protein": ["proteins.faa"]}


def rows(folder, split, kind="protein"):
    return [row for row in pq.read_table(folder / split).to_pylist() if row["kind"] == kind]


def test_every_protein_is_in_one_split_whole_or_in_parts_of_at_most_max_piece(raw, build):
    folder, manifest = build(**ALL, dna_share=0, validation_share=0.1)
    sequences = {record.id: record.sequence for record in read_proteins(raw / "proteins.faa")}
    parts, splits = {}, {}
    for split in ("train", "validation"):
        for row in rows(folder, split):
            name = row["id"].split(":")[1]
            assert sequences[name][row["start"] : row["end"]] == row["text"]
            assert len(row["text"]) <= 300
            parts.setdefault(name, {})[row["start"]] = row["text"]
            assert splits.setdefault(name, split) == split
    assert {name: "".join(text for _, text in sorted(found.items())) for name, found in parts.items()} == sequences
    assert 1 <= list(splits.values()).count("validation") <= 10
    assert manifest["counts"]["sources"]["proteins.faa"]["residues"] == sum(map(len, sequences.values()))


def test_the_three_kinds_have_the_shares_asked_for(build):
    folder, manifest = build(**ALL, dna_share=0.5, protein_share=0.2)
    train = manifest["counts"]["train"]
    total = sum(count["characters"] for count in train.values())
    for kind, share in (("dna", 0.5), ("text", 0.3), ("protein", 0.2)):
        assert train[kind]["characters"] / total == pytest.approx(share, abs=0.04)
    card = (folder / "README.md").read_text()
    assert f"| train | protein | {train['protein']['documents']:,} | {train['protein']['characters']:,} |" in card


def test_a_tokenizer_learns_them_as_text_and_packing_counts_them_apart(build, tmp_path, capsys):
    corpus, manifest = build(**ALL, dna_share=0, validation_share=0.2)
    report = train_tokenizer(TokenizerConfig(str(corpus), str(tmp_path / "tok"), vocab_size=400))
    counts = manifest["counts"]
    assert report["counts"]["text_characters"] == sum(counts["train"][k]["characters"] for k in ("text", "protein"))
    assert report["report"]["residues"] == counts["validation"]["protein"]["characters"]
    packed = pack(PackConfig(str(corpus), str(tmp_path / "tok"), str(tmp_path / "blocks"), block_size=32))
    train, held_out = packed["counts"]["train"], packed["counts"]["validation"]
    tokens = [train[name] for name in ("dna_tokens", "english_tokens", "protein_tokens")]
    assert sum(tokens) + train["documents"] == train["tokens"]
    assert train["residues"] == counts["train"]["protein"]["characters"]
    assert sorted(held_out) == ["dna", "protein", "text"]
    assert held_out["protein"]["residues"] == counts["validation"]["protein"]["characters"]
    assert packed["shares"]["tokens"]["protein"] == pytest.approx(tokens[2] / sum(tokens), abs=1e-6)
    assert sum(packed["shares"]["characters"].values()) == pytest.approx(1)
    assert "train: shares of tokens: DNA" in capsys.readouterr().out


BAD = [
    (">p\nMK1L\n", r"x\.faa:1: record 'p': '1' at residue 3 is no amino acid"),
    (">a\nMKV\n>p\nMK-L\n", r"x\.faa:3: record 'p': '-'"),
    (">p\n" + "ACGT" * 20 + "\n", "it is DNA"),
    (">p\n*\n", "no document is left for train"),
]


@pytest.mark.parametrize(("fasta", "said"), BAD)
def test_a_file_that_holds_no_proteins_is_an_error(tmp_path, fasta, said):
    (tmp_path / "x.faa").write_text(fasta)
    with pytest.raises(InputError, match=said):
        build_corpus(CorpusConfig(str(tmp_path / "out"), protein=[str(tmp_path / "x.faa")]))


def test_a_protein_file_named_as_dna_is_told(raw, tmp_path):
    with pytest.raises(InputError, match="looks like a protein"):
        build_corpus(CorpusConfig(str(tmp_path / "out"), dna=[str(raw / "proteins.faa")]))


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_a_share_of_protein_that_cannot_be_is_an_error(build, share):
    with pytest.raises(InputError, match=f"protein_share: {share}"):
        build(**ALL, protein_share=share)
