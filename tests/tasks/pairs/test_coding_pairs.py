import re
from collections import Counter

import pytest

from dnahlm.config import load_yaml
from dnahlm.io import InputError
from dnahlm.tasks.pairs.coding import CodingPairsConfig, run

SOURCE = re.compile(r"(.+):(\d+)-(\d+)(?: without (\d+))?\|(.+):(\d+)-(\d+)")


def every(pairs, kind=None):
    return [row for rows in pairs.rows.values() for row in rows if kind in (None, row["negative_kind"])]


def longest_shared(window, protein, biology):
    shared = 0
    for frame in biology.six_frames(window):
        for i in range(len(protein)):
            while i + shared < len(protein) and protein[i : i + shared + 1] in frame:
                shared += 1
    return shared


def test_every_positive_window_translates_to_its_protein_in_the_stated_frame_and_strand(coding_pairs, biology):
    rows = every(coding_pairs, "none")
    assert rows
    for row in rows:
        read = row["sequence"] if row["strand"] == "+" else biology.reverse_complement(row["sequence"])
        assert biology.translate(read[int(row["frame"]) :]) == row["protein"]
        assert (row["label"], len(row["sequence"])) == ("1", 150)


def test_no_frame_of_a_negative_codes_for_its_protein(coding_pairs, biology):
    negatives = [row for row in every(coding_pairs) if row["label"] == "0"]
    assert len(negatives) == 168
    for row in negatives:
        assert not any(row["protein"] in frame for frame in biology.six_frames(row["sequence"]))


def test_a_decidable_negative_shares_no_five_residues_with_any_frame_and_a_hard_one_does(coding_pairs, biology):
    for row in every(coding_pairs, "decidable"):
        assert longest_shared(row["sequence"], row["protein"], biology) < 5
    for kind in ("hard_segment", "hard_frameshift"):
        assert every(coding_pairs, kind)
        for row in every(coding_pairs, kind):
            assert longest_shared(row["sequence"], row["protein"], biology) >= 5


def test_a_hard_segment_is_coded_for_half_to_four_fifths(coding_pairs, biology):
    for row in every(coding_pairs, "hard_segment"):
        share = longest_shared(row["sequence"], row["protein"], biology) / len(row["protein"])
        assert 0.5 <= share <= 0.85  # a residue that fits by chance may follow


def test_a_decidable_protein_is_as_long_as_the_true_one_and_alike_in_composition(coding_pairs):
    true = {row["sequence"]: row["protein"] for row in every(coding_pairs, "none")}
    for row in every(coding_pairs, "decidable"):
        mine, theirs = Counter(true[row["sequence"]]), Counter(row["protein"])
        assert mine.total() == theirs.total()
        assert (mine - theirs).total() <= 0.3 * mine.total()


def test_the_source_says_where_window_and_segment_stand(coding_pairs, cds, biology):
    for row in every(coding_pairs):
        gene, start, end, lost, other, first, last = SOURCE.fullmatch(row["source"]).groups()
        window = cds.records[gene][int(start) : int(end)]
        if lost:
            window = window[: int(lost) - int(start)] + window[int(lost) - int(start) + 1 :]
        window = window if row["strand"] == "+" else biology.reverse_complement(window)
        assert window == row["sequence"]
        assert biology.translate(cds.records[other])[int(first) : int(last)] == row["protein"]
        assert (gene == other) == (row["negative_kind"] != "decidable")
        assert bool(lost) == (row["negative_kind"] == "hard_frameshift")


def test_labels_kinds_frames_and_strands_are_even(coding_pairs):
    rows = coding_pairs.rows["train"]
    assert Counter(row["negative_kind"] for row in rows) == {
        "none": 120, "decidable": 60, "hard_segment": 30, "hard_frameshift": 30,
    }  # fmt: skip
    counts = Counter((row["frame"], row["strand"]) for row in rows if row["label"] == "1")
    assert len(counts) == 6
    assert max(counts.values()) - min(counts.values()) <= 4


def test_no_gene_window_or_protein_is_in_two_splits(coding_pairs, biology):
    homes = {}
    for split, rows in coding_pairs.rows.items():
        for row in rows:
            gene, *_, other, _, _ = SOURCE.fullmatch(row["source"]).groups()
            windows = (row["sequence"], biology.reverse_complement(row["sequence"]))
            for thing in (gene, other, row["protein"], *windows):
                assert homes.setdefault(thing, split) == split


def test_no_pair_has_both_labels_or_is_there_twice(coding_pairs):
    pairs = [(row["sequence"], row["protein"]) for row in every(coding_pairs)]
    assert len(set(pairs)) == len(pairs)


def test_a_shorter_segment_lies_anywhere_in_its_window(build_coding, cds, biology):
    pairs = build_coding(cds.path, residues=20)
    places = set()
    for row in every(pairs, "none"):
        read = row["sequence"] if row["strand"] == "+" else biology.reverse_complement(row["sequence"])
        places.add(biology.translate(read[int(row["frame"]) :]).find(row["protein"]))
        assert len(row["protein"]) == 20
    assert -1 not in places
    assert len(places) > 15
    for row in every(pairs):
        coded = any(row["protein"] in frame for frame in biology.six_frames(row["sequence"]))
        assert coded == (row["label"] == "1")


def test_an_exact_translator_tells_all_and_one_that_looks_for_seeds_only_the_decidable(coding_pairs):
    baselines = coding_pairs.manifest["baselines"]
    assert set(baselines["six_frame_exact"].values()) == {1.0}
    assert baselines["six_frame_seed"] == {
        "all": 0.75, "decidable": 1.0, "hard_frameshift": 0.0, "hard_segment": 0.0, "positive": 1.0,
    }  # fmt: skip
    assert baselines["open_frame"]["decidable"] == 0.0


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(coding_pairs, build_coding, cds):
    again, other = build_coding(cds.path), build_coding(cds.path, seed=1)
    for split in ("train", "validation", "test"):
        assert (again.folder / f"{split}.csv").read_bytes() == (coding_pairs.folder / f"{split}.csv").read_bytes()
        assert (other.folder / f"{split}.csv").read_bytes() != (coding_pairs.folder / f"{split}.csv").read_bytes()


def test_the_task_file_beside_the_tables_names_them_and_says_that_the_genes_are_simulated(coding_pairs):
    task = load_yaml(coding_pairs.folder / "dna_protein_pair.yaml")
    assert (task["kind"], task["simulated"]) == ("dna_protein_pair", True)
    for split, name in task["source"]["files"].items():
        assert coding_pairs.folder.parent / name == coding_pairs.folder / f"{split}.csv"
    assert task["description"].endswith(
        "These tables: NCBI translation table 1, windows of 150 bases, segments of up to 50 residues."
    )


@pytest.fixture
def table(tmp_path, cds, biology):
    """A table of DNA and protein with a flaw in the row of line 5; `change` makes the flaw."""

    def write(change, name="genes.tsv"):
        lines = ["gene\tcds\tprotein"]
        for n, (gene, bases) in enumerate(cds.records.items(), 2):
            fields = (bases, biology.translate(bases)[:-1])
            lines.append("\t".join((gene, *(change(*fields) if n == 5 else fields))))
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return tmp_path / name

    return write


FLAWS = {
    "residue": (lambda b, p: (b, p[:2] + ("A" if p[2] != "A" else "C") + p[3:]), "residue 3 translates to"),
    "length": (lambda b, p: (b[:-1], p), "is no multiple of 3"),
    "short": (lambda b, p: (b, p[:-4]), "residues, the protein has"),
    "stop": (lambda b, p: (b[:30] + "TAA" + b[33:], p), "stop codon inside, at base 31"),
    "n": (lambda b, p: (b[:30] + "N" + b[31:], p), "letters other than A, C, G, T"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_an_entry_that_does_not_translate_is_refused_with_its_line(table, tmp_path, flaw):
    change, message = FLAWS[flaw]
    path = table(change)
    with pytest.raises(InputError, match=rf"genes.tsv:5: 'genes.tsv:5' does not translate: .*{message}.*skip_invalid"):
        run(CodingPairsConfig(input=[str(path)], output=str(tmp_path / "out")))
    assert not list(tmp_path.glob("out*"))


def test_entries_that_do_not_translate_are_counted_when_they_are_to_be_skipped(table, build_coding):
    pairs = build_coding(table(FLAWS["residue"][0]), skip_invalid=True)
    assert pairs.manifest["counts"]["genes"]["do_not_translate"] == 1
    assert not [row for row in every(pairs) if "genes.tsv:5:" in row["source"]]


def test_a_table_with_its_columns_swapped_is_refused(table, tmp_path):
    with pytest.raises(InputError, match=r"genes.tsv:2: .*which is no protein.*Are the columns swapped"):
        run(CodingPairsConfig([str(table(lambda *f: f))], str(tmp_path / "out"), "protein", "cds"))


def test_a_record_that_does_not_translate_is_refused_with_its_line(tmp_path, cds, biology):
    path = biology.write_fasta(tmp_path / "cds.fa", {"good": "ATGGCTTAA", "bad": "ATGGCTGCT"})
    with pytest.raises(InputError, match=r"cds.fa:3: 'bad' does not translate: it runs from ATG to GCT"):
        run(CodingPairsConfig(input=[str(path)], output=str(tmp_path / "out")))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"genetic_code": 8}, "genetic_code: found 8; must be an NCBI translation table: 1, 2, 3"),
        ({"bases": 30}, "bases: found 30; must be 38 to 3000"),
        ({"residues": 5}, "residues: found 5; must be 12 to"),
        ({"hard_share": 1.5}, "hard_share: found 1.5; must be 0 to 1"),
        ({"test_rows": 11}, "test_rows: found 11"),
        ({"train_rows": 100_000}, r"train_rows: \d+ of the 100000 rows could be made"),
        ({"bases": 3000}, "found 0 families of genes of 3003 coding bases or more"),
        ({"composition_tolerance": 0.0}, "larger --composition_tolerance"),
        ({"input": []}, "input: found no file"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_met_are_refused_before_anything_is_written(tmp_path, cds, settings, message):
    with pytest.raises(InputError, match=message):
        run(CodingPairsConfig(**({"input": [str(cds.path)], "output": str(tmp_path / "out")} | settings)))
    assert not list(tmp_path.glob("out*"))


def test_real_yeast_genes_all_translate_and_give_true_pairs(build_coding, data_root, biology):
    pairs = build_coding(data_root / "coding/yeast_cds_protein_train.tsv.gz")
    assert pairs.manifest["counts"]["genes"]["do_not_translate"] == 0
    assert pairs.manifest["counts"]["genes"]["read"] == 4644
    for row in every(pairs):
        coded = any(row["protein"] in frame for frame in biology.six_frames(row["sequence"]))
        assert coded == (row["label"] == "1")
