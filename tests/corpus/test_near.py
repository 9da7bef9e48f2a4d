"""Near-duplicates: what is found of planted ones, what is found among unrelated documents, and which one stays."""

import random

import numpy as np
import pyarrow.parquet as pq
import pytest

from dnahlm.corpus.near import bands_of
from dnahlm.dna import reverse_complement

WORDS = [f"word{number}" for number in range(2000)]


def near(kind, ones, others):
    """Share of the pairs that have a band in common."""
    one, other = bands_of([kind] * len(ones), ones), bands_of([kind] * len(others), others)
    return float(((one == other) & (one != 0)).any(axis=1).mean())


def sequences(count, length, letters="ACGT"):
    rng = random.Random(1)
    return ["".join(rng.choices(letters, k=length)) for _ in range(count)]


def changed(units, share, alternatives, seed=2):
    rng = random.Random(seed)
    return [rng.choice(alternatives) if rng.random() < share else unit for unit in units]


def english(count, words=300):
    rng = random.Random(3)
    return [" ".join(rng.choices(WORDS, k=words)) for _ in range(count)]


@pytest.mark.parametrize("length", [300, 1000])
def test_dna_with_one_base_in_two_hundred_changed_is_found_on_either_strand(length):
    ones = sequences(200, length)
    others = ["".join(changed(one, 0.005, "ACGT", seed)) for seed, one in enumerate(ones)]
    others = [other if number % 2 else reverse_complement(other) for number, other in enumerate(others)]
    assert near("dna", ones, others) > 0.95


def test_english_with_one_word_in_fifty_changed_is_found_whatever_its_case():
    ones = english(200)
    others = [" ".join(changed(one.split(), 0.02, WORDS, seed)).upper() for seed, one in enumerate(ones)]
    assert near("text", ones, others) > 0.95


def test_a_protein_with_one_residue_in_a_hundred_changed_is_found():
    ones = sequences(200, 400, "ACDEFGHIKLMNPQRSTVWY")
    others = ["".join(changed(one, 0.01, "ACDEFGHIKLMNPQRSTVWY", seed)) for seed, one in enumerate(ones)]
    assert near("protein", ones, others) > 0.9


def test_unrelated_and_shuffled_documents_give_no_alarm():
    rng = random.Random(4)
    dna = sequences(2000, 300)
    assert near("dna", dna, dna[::-1]) == 0
    assert near("dna", dna, ["".join(rng.sample(one, len(one))) for one in dna]) == 0
    texts = english(500)
    assert near("text", texts, [" ".join(rng.sample(one.split(), 300)) for one in texts]) == 0


def test_documents_that_share_a_third_of_their_words_seldom_count_as_near():
    halves = sequences(600, 400)
    ones = [a + b for a, b in zip(halves[:200], halves[200:400], strict=True)]
    others = [a + c for a, c in zip(halves[:200], halves[400:], strict=True)]
    assert near("dna", ones, others) < 0.03


def test_the_curve_that_the_module_states_holds():
    """Sets of words that overlap by a known share: pieces that begin with the same stretch."""
    for share, found in ((0.9, 1.0), (0.8, 0.95), (0.7, 0.61), (0.6, 0.24), (0.5, 0.06)):
        length = 1000
        common = round(2 * share / (1 + share) * length)
        tails = sequences(1600, length - common)
        stems = sequences(800, common)
        ones = [s + t for s, t in zip(stems, tails[:800], strict=True)]
        others = [s + t for s, t in zip(stems, tails[800:], strict=True)]
        assert near("dna", ones, others) == pytest.approx(found, abs=0.07), share


def test_a_document_of_few_words_is_compared_exactly_only():
    short = "ACGTTGCATTAGGCACCATTGACCATAGCAGGCATCAGTTTACGGA"
    assert len(short) - 15 < 32
    assert not bands_of(["dna"], [short]).any()
    assert not bands_of(["text", "protein"], ["a few words only", "MK"]).any()


@pytest.fixture
def related(tmp_path):
    """Two strains, 0.3 % apart, the second one on the other strand and in other records, and two editions of a text."""
    rng = random.Random(6)
    one = sequences(1, 60_000)[0]
    other = reverse_complement("".join(changed(one, 0.003, "ACGT")))
    (tmp_path / "one.fa").write_text("".join(f">a{i}\n{one[i : i + 12_000]}\n" for i in range(0, 60_000, 12_000)))
    (tmp_path / "other.fa").write_text(f">b\n{other[:41_000]}\n>c\n{other[41_000:]}\n")
    paragraphs = [" ".join(rng.choices(WORDS, k=280)) for _ in range(40)]
    editions = {"first.txt": paragraphs, "second.txt": [p.replace("word7 ", "Word7, ") for p in paragraphs]}
    for name, texts in editions.items():
        (tmp_path / name).write_text("\n\n".join(texts))
    return tmp_path


def test_near_copies_are_removed_and_counted_per_source_and_validation_keeps_its_own(related, build):
    settings = {"data_root": str(related), "dna": ["*.fa"], "text": ["*.txt"], "dna_share": 0, "validation_share": 0.1}
    folder, manifest = build(**settings)
    sources = manifest["counts"]["sources"]
    copies = {
        name: source["duplicate_documents"] + source["near_duplicate_documents"] for name, source in sources.items()
    }
    assert sources["other.fa"]["near_duplicate_documents"] > 80
    assert copies["first.txt"] + copies["second.txt"] >= 38
    removed = sum(source[f"{c}duplicate_characters"] for source in sources.values() for c in ("", "near_"))
    read = sum(source.get("bases", source.get("characters")) for source in sources.values())
    kept = {split: pq.read_table(folder / split).to_pylist() for split in ("train", "validation")}
    assert sum(len(row["text"]) for rows in kept.values() for row in rows) + removed == read
    bands = {
        split: bands_of([row["kind"] for row in rows], [row["text"] for row in rows]) for split, rows in kept.items()
    }
    for band in range(bands["train"].shape[1]):
        common = np.intersect1d(bands["train"][:, band], bands["validation"][:, band])
        assert not common[common != 0].size
    assert "near-duplicates of others" in (folder / "README.md").read_text()


def test_most_of_a_second_strain_goes_though_its_records_begin_elsewhere(related, build):
    _, manifest = build(data_root=str(related), dna=["*.fa"], dna_share=0)
    kept = sum(count["dna"]["characters"] for count in (manifest["counts"][s] for s in ("train", "validation")))
    assert kept < 1.35 * 60_000


def test_near_copies_stay_where_they_are_wanted(related, build):
    _, manifest = build(data_root=str(related), dna=["*.fa"], dna_share=0, near_duplicates=False)
    assert all(source["near_duplicate_documents"] == 0 for source in manifest["counts"]["sources"].values())
