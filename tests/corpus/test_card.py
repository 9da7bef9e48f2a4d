import random
import re

import pytest

from dnahlm.corpus.build import CorpusConfig, run
from dnahlm.io import InputError


def test_the_card_names_every_source_with_its_size_and_hash(build):
    folder, manifest = build(dna=["*.fa"], text=["english.txt"])
    card = (folder / "README.md").read_text()
    for name, source in manifest["counts"]["sources"].items():
        size = source["bases"] if source["kind"] == "dna" else source["characters"]
        row = next(line for line in card.splitlines() if line.startswith(f"| {name} |"))
        assert f" {size:,} |" in row
        assert manifest["inputs"][name]["sha256"].startswith(re.search(r"`([0-9a-f]{16})`", row)[1])


def test_the_card_says_what_each_split_holds_of_each_kind(build):
    folder, manifest = build(dna=["*.fa"], text=["english.txt"], dna_share=0.6)
    card = (folder / "README.md").read_text()
    for split in ("train", "validation"):
        dna, text = manifest["counts"][split]["dna"], manifest["counts"][split]["text"]
        share = dna["characters"] / (dna["characters"] + text["characters"])
        assert f"| {split} | DNA | {dna['documents']:,} | {dna['characters']:,} | - | {share:.1%} |" in card
        assert f"| {split} | English | {text['documents']:,} | {text['characters']:,} | {text['words']:,} |" in card


def test_words_and_soft_masked_bases_are_counted(raw, build):
    _, manifest = build(dna=["*.fa"], text=["english.txt"], dna_share=0)
    counts = manifest["counts"]
    words = sum(counts[split]["text"]["words"] for split in ("train", "validation"))
    assert words == len((raw / "english.txt").read_text().split())
    lines = (raw / "genome.fa").read_text().splitlines()
    lower = sum(letter.islower() for line in lines if line[0] != ">" for letter in line)
    assert counts["sources"]["genome.fa"]["lower_case_bases"] == lower


def test_the_card_says_what_was_left_out_and_why(build):
    folder, manifest = build(dna=["genome.fa"], held_out_records=["chr3"])
    card = (folder / "README.md").read_text()
    source = manifest["counts"]["sources"]["genome.fa"]
    for key, words in (("held_out_bases", "in records held out"), ("n_bases_dropped", "N, or")):
        assert re.search(rf"- {source[key]:,} bases \([\d.]+%\) {words}", card)


def test_coding_sequences_shorter_than_a_piece_are_counted_not_lost_in_silence(tmp_path, capsys):
    rng = random.Random(0)
    lengths = [90, 150, 299, 300, 1200, 3000]
    cds = [f">c{length}\nATG{''.join(rng.choices('ACGT', k=length - 3))}\n" for length in lengths]
    (tmp_path / "cds.fa").write_text("".join(cds))
    output = tmp_path / "corpus"
    manifest = run(CorpusConfig(str(output), data_root=str(tmp_path), dna=["cds.fa"]))
    counts = manifest["counts"]["sources"]["cds.fa"]
    assert (counts["records_without_a_document"], counts["short_run_bases_dropped"]) == (3, 90 + 150 + 299)
    assert "3 records without a document" in capsys.readouterr().out
    assert (
        "539 bases (10.70%) in records, or in runs between N, that are shorter than a piece"
        in (output / "README.md").read_text()
    )
    assert "3 records gave no document" in (output / "README.md").read_text()


def test_licences_are_stated_in_the_card_by_source(build):
    folder, _ = build(dna=["*.fa"], text=["english.txt"], licences='{"genome.fa": "public domain"}')
    card = (folder / "README.md").read_text()
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in card.splitlines() if line.startswith("| ")}
    assert " | public domain | " in lines["genome.fa"]
    assert " | not stated | " in lines["english.txt"]


@pytest.mark.parametrize(
    ("licences", "said"),
    [({"genom.fa": "CC0"}, "Did you mean 'genome.fa'"), ({"genome.fa": 3}, "text is needed"), ("CC0", "JSON object")],
)
def test_a_licence_of_no_source_is_an_error(build, licences, said):
    with pytest.raises(InputError, match=said):
        build(dna=["*.fa"], text=["english.txt"], licences=licences)
