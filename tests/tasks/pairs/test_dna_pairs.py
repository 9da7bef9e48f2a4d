import csv
import itertools
import random
from collections import Counter

import pytest

from dnahlm.cli import main
from dnahlm.config import load_yaml
from dnahlm.io import InputError
from dnahlm.tasks.pairs.align import identity, local_score
from dnahlm.tasks.pairs.dna import DnaPairsConfig, run

BANDS = {"0.7-0.8": (0.7, 0.8), "0.8-0.9": (0.8, 0.9), "0.9-1.0": (0.9, 1.0)}


def every(pairs, label=None):
    return [row for rows in pairs.rows.values() for row in rows if label in (None, row["label"])]


def gc(sequence):
    return (sequence.count("G") + sequence.count("C")) / len(sequence)


def test_the_measured_identity_of_every_positive_lies_in_its_band(dna_pairs):
    for row in every(dna_pairs, "1"):
        low, high = BANDS[row["band"]]
        measured = identity(row["sequence1"], row["sequence2"])
        assert low <= measured < high
        assert float(row["identity"]) == pytest.approx(measured, abs=1e-4)


def test_labels_are_even_and_positives_are_spread_evenly_over_bands_and_lengths(dna_pairs):
    for split, n in (("train", 240), ("validation", 36), ("test", 60)):
        rows = dna_pairs.rows[split]
        assert Counter(row["label"] for row in rows) == {"0": n // 2, "1": n // 2}
        cells = Counter((len(r["sequence1"]), r["band"]) for r in rows if r["label"] == "1")
        assert set(cells.values()) == {n // 12}
        assert set(cells) == set(itertools.product((40, 150), BANDS))


def test_both_sequences_of_a_pair_have_the_same_length_and_nearly_the_same_gc(dna_pairs):
    for row in every(dna_pairs):
        assert len(row["sequence1"]) == len(row["sequence2"])
        assert abs(gc(row["sequence1"]) - gc(row["sequence2"])) <= 0.05 + 1e-9


def test_the_gc_of_a_negative_differs_no_more_than_that_of_a_positive_on_average(dna_pairs):
    means = []
    for label in "01":
        rows = [row for row in every(dna_pairs, label) if len(row["sequence1"]) == 150]
        means.append(sum(abs(gc(row["sequence1"]) - gc(row["sequence2"])) for row in rows) / len(rows))
    assert means[0] == pytest.approx(means[1], abs=0.01)


def test_a_negative_comes_from_elsewhere_and_aligns_no_better_than_the_bound_on_either_strand(dna_pairs):
    for row in every(dna_pairs, "0"):
        assert row["source1"] != row["source2"]
        assert row["band"] == "unrelated"
        assert local_score(row["sequence1"], row["sequence2"]) <= 0.3


def test_windows_of_a_repeat_family_are_not_called_unrelated(build_dna, biology):
    rng = random.Random(5)
    records = {}
    for name in "abcdef":
        element = biology.dna(40, rng)
        records[name] = "".join(element + biology.dna(20, rng) for _ in range(60)) + biology.dna(12_000, rng)
    for row in every(build_dna(records, lengths=[60]), "0"):
        assert local_score(row["sequence1"], row["sequence2"]) <= 0.3


def test_every_window_stands_in_one_row_of_either_label(dna_pairs):
    for rows in dna_pairs.rows.values():
        seen = [{row["source1"] for row in rows if row["label"] == label} for label in "01"]
        assert seen[0] == seen[1]
        assert len(seen[0]) == len(rows) // 2


def test_the_source_of_a_window_is_where_its_bases_stand_in_the_fasta(dna_pairs, records):
    for row in every(dna_pairs):
        record, place = row["source1"].split(":")
        start, end = map(int, place.split("-"))
        assert records[record][start:end].upper() == row["sequence1"]


def test_sequences_hold_no_letter_but_acgt(dna_pairs):
    for row in every(dna_pairs):
        assert not set(row["sequence1"] + row["sequence2"]) - set("ACGT")


def test_windows_do_not_overlap(dna_pairs):
    places = set()
    for row in every(dna_pairs):
        for source in (row["source1"], row["source2"]):
            record, place = source.split(":")
            places.add((record, *map(int, place.split("-"))))
    for (record, _, end), (other, start, _) in itertools.pairwise(sorted(places)):
        assert record != other or end <= start


def test_a_record_is_in_one_split_only(dna_pairs):
    homes = {}
    for split, rows in dna_pairs.rows.items():
        for row in rows:
            for source in (row["source1"], row["source2"]):
                assert homes.setdefault(source.split(":")[0], split) == split


def test_no_stretch_of_20_bases_is_in_two_splits_though_one_record_is_a_near_copy_of_another(
    build_dna, biology, records
):
    first, copy = records["r0"], records["copy"]
    pairs = build_dna({"a": first, "b": records["r1"] + records["r2"], "c": copy + records["r3"]}, lengths=[40])
    homes = {}
    for split, rows in pairs.rows.items():
        for row in rows:
            for strand in (row["sequence1"], biology.reverse_complement(row["sequence1"])):
                for i in range(len(strand) - 19):
                    assert homes.setdefault(strand[i : i + 20], split) == split
    assert sum(counts["windows_like_another_split"] for counts in pairs.manifest["counts"].values()) > 0


def test_one_record_is_cut_into_a_part_for_each_split_with_the_gap_between(build_dna, records):
    pairs = build_dna({"only": "".join(records[f"r{n}"] for n in range(5))}, gap=500)
    regions = sorted((r["start"], r["end"], r["split"]) for r in pairs.manifest["regions"])
    assert {split for _, _, split in regions} == {"train", "validation", "test"}
    assert all(start - end == 500 for (_, end, _), (start, _, _) in itertools.pairwise(regions))
    part = {split: (start, end) for start, end, split in regions}
    for split, rows in pairs.rows.items():
        for row in rows:
            start, end = map(int, row["source2"].split(":")[1].split("-"))
            assert part[split][0] <= start < end <= part[split][1]


def test_half_of_the_copies_are_on_the_other_strand_when_asked(build_dna, biology, records):
    pairs = build_dna(records, both_strands=True, lengths=[150])
    strands = Counter(row["strand"] for row in every(pairs, "1"))
    assert 0.35 < strands["-"] / strands.total() < 0.65
    for row in every(pairs, "1"):
        copy = row["sequence2"] if row["strand"] == "+" else biology.reverse_complement(row["sequence2"])
        low, high = BANDS[row["band"]]
        assert low <= identity(row["sequence1"], copy) < high


def test_all_copies_are_on_the_given_strand_by_default(dna_pairs):
    assert {row["strand"] for row in every(dna_pairs)} == {"+"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(dna_pairs, build_dna, records):
    again, other = build_dna(records), build_dna(records, seed=1)
    for split in ("train", "validation", "test"):
        assert (again.folder / f"{split}.csv").read_bytes() == (dna_pairs.folder / f"{split}.csv").read_bytes()
        assert (other.folder / f"{split}.csv").read_bytes() != (dna_pairs.folder / f"{split}.csv").read_bytes()


def test_alignment_solves_the_task_and_gc_does_not(dna_pairs):
    baselines = dna_pairs.manifest["baselines"]
    assert baselines["alignment"]["accuracy"] > 0.95
    assert baselines["gc_difference"]["accuracy"] < 0.65
    assert set(baselines["kmer_jaccard"]["by_length"]["40"]["accuracy_by_band"]) == set(BANDS)


def test_the_task_file_beside_the_tables_names_them(dna_pairs):
    task = load_yaml(dna_pairs.folder / "dna_pair.yaml")
    assert (task["kind"], task["simulated"]) == ("pair", False)
    header = next(csv.reader((dna_pairs.folder / "train.csv").open()))
    assert set(task["columns"].values()) <= set(header)
    for split, name in task["source"]["files"].items():
        assert dna_pairs.folder.parent / name == dna_pairs.folder / f"{split}.csv"


def test_the_task_file_says_how_its_pairs_were_made(dna_pairs, build_dna, records):
    said = load_yaml(dna_pairs.folder / "dna_pair.yaml")["description"]
    assert said.endswith(
        "These tables: identity from 0.7 to below 1, windows of 40, 150 bases, no copies on the other strand; no "
        "record is in two splits."
    )
    pairs = build_dna({"r0": records["r0"]}, bands=[0.6, 0.9], lengths=[40], both_strands=True, gap=300)
    assert load_yaml(pairs.folder / "dna_pair.yaml")["description"].endswith(
        "identity from 0.6 to below 0.9, windows of 40 bases, half of the copies on the other strand; each record is "
        "cut into a part for every split, 300 bases apart."
    )


def test_an_output_may_have_any_name(tmp_path, biology, records, capsys):
    fasta = biology.write_fasta(tmp_path / "genome.fa", records)
    output, rows = tmp_path / "my pairs: #1", {"train_rows": 24, "validation_rows": 12, "test_rows": 12}
    run(DnaPairsConfig(fasta=[str(fasta)], output=str(output), lengths=[40], **rows))
    files = load_yaml(output / "dna_pair.yaml")["source"]["files"]
    assert files == {split: f"my pairs: #1/{split}.csv" for split in ("train", "validation", "test")}
    assert f"--tasks '{output}/dna_pair.yaml' --data_root {tmp_path} " in capsys.readouterr().out


def test_pairs_of_a_simulated_genome_say_that_it_is_simulated(build_dna, records):
    pairs = build_dna({f"{name} simulated=dnahlm": sequence for name, sequence in records.items()})
    assert load_yaml(pairs.folder / "dna_pair.yaml")["simulated"] is True


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train_rows": 7}, "train_rows: found 7; must be an even number of 12 or more"),
        ({"lengths": []}, r"lengths: found \[\]"),
        ({"lengths": [40, 40]}, r"lengths: found \[40, 40\]"),
        ({"lengths": [5]}, "lengths: found 5; must be 20 to 1000 bases"),
        ({"bands": [0.9, 0.8]}, r"bands: found \[0.9, 0.8\]; must be two or more rising"),
        ({"bands": [0.2, 0.8]}, "unrelated DNA|Unrelated DNA aligns at about 0.5"),
        ({"bands": [float("nan"), 0.8]}, "bands: found"),
        ({"gc_tolerance": -0.1}, "gc_tolerance: found -0.1; must be 0 to 1"),
        ({"most_alike": 0.9}, "most_alike: found 0.9; must be 0 to 0.7"),
        ({"gap": -1}, "gap: found -1"),
        ({"seed": -1}, "seed: found -1"),
        ({"test_rows": 50_000}, r"test_rows: \d+ of the 50000 rows could be made.*Give more DNA"),
        ({"lengths": [1000], "gap": 10**6, "fasta": ["two.fa"]}, "too little DNA"),
        ({"fasta": ["genome.fa", "genome.fa"]}, r"genome.fa:1: record id 'r0' is also used in"),
        ({"fasta": ["protein.fa"]}, r"protein.fa:2: record 'p'.*looks like a protein"),
        ({"fasta": ["missing.fa"]}, "missing.fa: no such file"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_before_anything_is_written(tmp_path, monkeypatch, biology, records, settings, message):
    monkeypatch.chdir(tmp_path)
    biology.write_fasta(tmp_path / "genome.fa", records)
    biology.write_fasta(tmp_path / "two.fa", {name: records[name] for name in ("r0", "r1")})
    biology.write_fasta(tmp_path / "protein.fa", {"p": "MAKEVLQWFP" * 20})
    with pytest.raises(InputError, match=message):
        run(DnaPairsConfig(**({"fasta": ["genome.fa"], "output": "out"} | settings)))
    assert not list(tmp_path.glob("out*"))


def test_the_command_line_builds_the_tables(tmp_path, capsys, biology, records):
    fasta = biology.write_fasta(tmp_path / "genome.fa", records)
    rows = [
        "--train_rows=24",
        "--validation_rows=12",
        "--test_rows=12",
        "--lengths",
        "40",
        "60",
        "--bands",
        "0.75",
        "1",
    ]
    main(["pairs", "dna", "--fasta", str(fasta), "--output", str(tmp_path / "mine"), *rows])
    assert "baseline alignment: accuracy on test" in capsys.readouterr().out
    header, *lines = (tmp_path / "mine/test.csv").read_text().splitlines()
    assert header == "sequence1,sequence2,label,identity,band,strand,source1,source2"
    assert len(lines) == 12
