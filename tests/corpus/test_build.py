import random

import pyarrow.parquet as pq
import pytest

from dnahlm.corpus.build import CorpusConfig, run
from dnahlm.dna import canonical, reverse_complement
from dnahlm.io import InputError
from dnahlm.manifest import read_manifest
from dnahlm.readers.sequences import read_dna

BOTH = {"dna": ["*.fa"], "text": ["english.txt"]}


def rows(folder, split="train"):
    return pq.read_table(folder / split).to_pylist()


def texts_of(folder):
    """Every document of both splits, in order, DNA by its canonical strand."""
    found = [row for split in ("train", "validation") for row in rows(folder, split)]
    return sorted(canonical(row["text"]) if row["kind"] == "dna" else row["text"] for row in found)


def test_every_document_is_what_its_place_says(raw, build):
    folder, _ = build(**BOTH, dna_share=0)
    genome = {f"{p.name}:{r.id}": r.sequence for p in raw.glob("*.fa") for r in read_dna(p)}
    english = (raw / "english.txt").read_text()
    strands = set()
    for row in rows(folder) + rows(folder, "validation"):
        if row["kind"] == "dna":
            source, record, _ = row["id"].split(":")
            forward = genome[f"{source}:{record}"][row["start"] : row["end"]]
            assert row["text"] == (forward if row["strand"] == "+" else reverse_complement(forward))
            assert set(row["text"]) <= set("ACGT")
            assert 100 <= len(row["text"]) <= 300
            strands.add(row["strand"])
        else:
            assert (row["kind"], row["source"], row["strand"]) == ("text", "english.txt", "")
            assert row["text"] == english[row["start"] : row["end"]]
    assert strands == {"+", "-"}


def test_bases_are_all_accounted_for(build):
    _, manifest = build(**BOTH, dna_share=0, held_out_records=["chr3"])
    counts = manifest["counts"]
    written = sum(counts[split]["dna"]["characters"] for split in ("train", "validation"))
    sources = [s for s in counts["sources"].values() if s["kind"] == "dna"]
    dropped = sum(s["n_bases_dropped"] + s["short_run_bases_dropped"] for s in sources)
    dropped += sum(s["duplicate_characters"] + s["near_duplicate_characters"] for s in sources)
    assert written + dropped == sum(s["bases"] - s["held_out_bases"] for s in sources)
    assert counts["sources"]["genome.fa"]["ambiguous_letters_to_n"] == 8
    assert counts["sources"]["genome.fa"]["n_bases_dropped"] == 7 * 51


def test_no_base_and_no_character_is_in_both_splits(build):
    folder, _ = build(**BOTH, dna_share=0, validation_share=0.2)
    taken = {}
    for split in ("train", "validation"):
        for row in rows(folder, split):
            group = row["id"].rsplit(":", 1)[0]
            for place in range(row["start"], row["end"]):
                assert taken.setdefault((group, place), split) == split
    assert {group for (group, _), split in taken.items() if split == "validation"} >= {"single.fa:only", "english.txt"}


def test_held_out_records_are_nowhere(build):
    folder, manifest = build(dna=["genome.fa"], held_out_records=["chr3", "chr5"])
    assert not [r for r in rows(folder) + rows(folder, "validation") if ":chr3:" in r["id"] or ":chr5:" in r["id"]]
    assert manifest["counts"]["sources"]["genome.fa"]["held_out_records"] == 2


def test_a_held_out_record_that_is_in_no_file_is_an_error(build):
    with pytest.raises(InputError, match=r"no DNA file has a record 'chr33'\. Did you mean 'chr3'"):
        build(dna=["*.fa"], held_out_records=["chr33"])


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_the_mix_has_the_share_asked_for(build, share):
    _, manifest = build(**BOTH, dna_share=share)
    train = manifest["counts"]["train"]
    total = train["dna"]["characters"] + train["text"]["characters"]
    assert train["dna"]["characters"] / total == pytest.approx(share, abs=0.03)
    assert manifest["counts"]["validation"]["text"]["documents"] > 0


def test_share_zero_keeps_all_of_both_kinds(build):
    _, manifest = build(**BOTH, dna_share=0)
    for split in ("train", "validation"):
        assert [manifest["counts"][split][k]["characters_left_out_by_the_mix"] for k in ("dna", "text")] == [0, 0]


def test_the_limit_on_characters_holds(build):
    _, manifest = build(**BOTH, max_characters=20_000)
    train = manifest["counts"]["train"]
    assert 17_000 < train["dna"]["characters"] + train["text"]["characters"] <= 20_000


def test_one_strand_can_be_asked_for(build):
    folder, _ = build(dna=["single.fa"], both_strands=False)
    assert {row["strand"] for row in rows(folder)} == {"+"}


def test_the_seed_decides_everything(build):
    one, two, other = (rows(build(name, **BOTH, seed=seed)[0]) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert one == two
    assert {r["id"] for r in one} != {r["id"] for r in other}
    assert [r["id"] for r in one] != sorted(r["id"] for r in one)


def test_copies_of_records_and_documents_are_dropped_and_counted(raw, build, tmp_path):
    (tmp_path / "copy.fa").write_text(
        "".join(f">c{r.id}\n{reverse_complement(r.sequence)}\n" for r in read_dna(raw / "genome.fa"))
    )
    (tmp_path / "copy.txt").write_text((raw / "english.txt").read_text())
    alone, _ = build("alone", **BOTH, dna_share=0)
    folder, manifest = build(
        dna=["*.fa", str(tmp_path / "copy.fa")], text=["english.txt", str(tmp_path / "copy.txt")], dna_share=0
    )
    assert texts_of(folder) == texts_of(alone)
    sources = manifest["counts"]["sources"]
    copied = sum(sources[name]["duplicate_characters"] for name in ("genome.fa", str(tmp_path / "copy.fa")))
    assert copied == sources["genome.fa"]["bases"] - sources["genome.fa"]["n_bases_dropped"]
    assert sources[str(tmp_path / "copy.txt")]["duplicate_documents"] == 37


def test_files_of_one_kind_give_a_corpus_with_a_warning(build, capsys):
    folder, manifest = build(dna=["single.fa"])
    assert manifest["counts"]["train"]["text"]["documents"] == 0
    assert "warning: train holds no English" in capsys.readouterr().out
    assert read_manifest(folder, "corpus build")["inputs"]["single.fa"]["sha256"]


BAD = [
    ({}, "neither `dna` nor `text`"),
    ({"dna": ["*.fa"], "min_piece": 400, "max_piece": 300}, "min_piece <= max_piece"),
    ({"dna": ["*.fa"], "dna_share": 1.5}, "dna_share: 1.5"),
    ({"dna": ["*.fa"], "validation_share": 0.0}, "validation_share: 0.0"),
    ({"dna": ["*.fa"], "max_characters": -1}, "max_characters: -1"),
    ({"dna": ["*.fa"], "max_characters": 50}, "no document is left"),
    ({"dna": ["*.fa"], "min_piece": 50_000, "max_piece": 90_000}, "no document is left"),
    ({"dna": ["english.txt"]}, "extension '.txt'"),
    ({"text": ["genome.fa"]}, "must be a .txt, .jsonl"),
]


@pytest.mark.parametrize(("settings", "said"), BAD)
def test_what_cannot_give_a_corpus_is_an_error_and_leaves_nothing(build, tmp_path, settings, said):
    with pytest.raises(InputError, match=said):
        build(**settings)
    assert not list(tmp_path.iterdir())


def test_an_error_leaves_the_earlier_corpus_as_it_was(raw, build, tmp_path):
    folder, _ = build(dna=["single.fa"])
    before = rows(folder)
    (tmp_path / "protein.fa").write_text(">p\nMKLV\n")
    with pytest.raises(InputError, match=r"protein\.fa:2"):
        build(dna=["single.fa", str(tmp_path / "protein.fa")], overwrite=True)
    assert rows(folder) == before
    with pytest.raises(InputError, match="overwrite"):
        build(dna=["single.fa"])


def test_real_genomes_and_text_give_the_mix_asked_for(data_root, tmp_path):
    config = CorpusConfig(
        str(tmp_path / "corpus"),
        data_root=str(data_root),
        dna=["genome/small_genomes.fa.gz"],
        text=["english/inaugural*"],
        max_characters=400_000,
    )
    train = run(config)["counts"]["train"]
    assert train["dna"]["characters"] == pytest.approx(200_000, rel=0.02)
    assert train["text"]["characters"] == pytest.approx(200_000, rel=0.02)


def test_only_the_regions_of_a_bed_file_are_used_and_no_piece_crosses_their_ends(tmp_path):
    rng = random.Random(0)
    chromosomes = {name: "".join(rng.choices("ACGT", k=20_000)) for name in ("chr1", "chr2", "chr3")}
    (tmp_path / "g.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in chromosomes.items()))
    (tmp_path / "r.bed").write_text("chr1\t100\t3000\nchr1\t2500\t6000\nchr2\t0\t9000\nchr2\t12000\t12100\n")
    output = tmp_path / "corpus"
    manifest = run(
        CorpusConfig(output=str(output), data_root=str(tmp_path), dna=["g.fa"], regions="r.bed", both_strands=False,
                     dna_share=0, validation_share=0.1)
    )  # fmt: skip
    regions = {"chr1": [(100, 6000)], "chr2": [(0, 9000), (12000, 12100)]}
    found = [row for split in ("train", "validation") for row in rows(output, split)]
    for row in found:
        name = row["id"].split(":")[1]
        assert any(start <= row["start"] < row["end"] <= end for start, end in regions[name])
        assert chromosomes[name][row["start"] : row["end"]] == row["text"]
    counts = manifest["counts"]["sources"]["g.fa"]
    assert sum(len(row["text"]) for row in found) + counts["short_run_bases_dropped"] == 15_000
    assert counts["bases_outside_regions"] == 45_000
    held_out = sum(len(row["text"]) for row in rows(output, "validation"))
    assert 1000 <= held_out <= 2000


@pytest.mark.parametrize(
    ("bed", "said"),
    [
        ("chr9\t0\t10\n", "'chr9' is a record of no DNA file"),
        ("chr1\t0\t30000\n", r"ends at 30,000, beyond its 20,000"),
    ],
)
def test_a_region_outside_the_genome_is_an_error_before_anything_is_written(tmp_path, bed, said):
    (tmp_path / "g.fa").write_text(">chr1\n" + "ACGT" * 5000 + "\n")
    (tmp_path / "r.bed").write_text(bed)
    with pytest.raises(InputError, match=said):
        run(CorpusConfig(output=str(tmp_path / "out"), data_root=str(tmp_path), dna=["g.fa"], regions="r.bed"))
    assert not (tmp_path / "out").exists()


def test_windows_of_one_length_can_be_asked_for(build):
    folder, _ = build(dna=["single.fa"], min_piece=250, max_piece=250)
    assert {len(row["text"]) for row in rows(folder)} == {250}


@pytest.mark.parametrize("name", ["empty.fa", "empty.txt", "empty.jsonl", "empty.parquet", "empty.faa"])
def test_an_empty_file_is_an_error_that_names_it(build, tmp_path, name):
    (tmp_path / name).touch()
    kind = {"fa": "dna", "faa": "protein"}.get(name.split(".")[1], "text")
    with pytest.raises(InputError, match=f"{name}: the file is empty"):
        build(**{kind: [str(tmp_path / name)]})


def test_the_order_mixes_the_kinds_and_the_sources(build):
    folder, _ = build(**BOTH, dna_share=0.5)
    places = [number for number, row in enumerate(rows(folder)) if row["kind"] == "dna"]
    n_rows = len(rows(folder))
    assert 0.4 * n_rows < sum(places) / len(places) < 0.6 * n_rows
    assert {row["source"] for row in rows(folder)[:60]} >= {"genome.fa", "single.fa"}
