import json
import re

import pytest
from task_tables import write_local

from dnahlm.dna import reverse_complement
from dnahlm.readers.tables import read_table
from dnahlm.tasks.instructions import InstructionsConfig, read_instructions, run
from dnahlm.tasks.sources import has_local_files
from dnahlm.tasks.spec import answers, load_task, shipped_tasks
from dnahlm.tasks.table import read_task_table

TASKS = shipped_tasks()
SPECS = {name: load_task(name) for name in TASKS}  # once: parsing all of them takes seconds
REAL = [name for name in TASKS if not name.startswith("simulated_")]
LOCAL = [name for name in REAL if SPECS[name].source.files]


@pytest.mark.parametrize("name", TASKS)
def test_a_shipped_task_loads_and_is_named_after_its_file(name):
    assert SPECS[name].id == name


@pytest.mark.parametrize("name", TASKS)
def test_a_shipped_task_says_what_it_is_for_and_points_nowhere_absolute(name):
    text = TASKS[name].read_text(encoding="utf-8")
    assert text.startswith("# Purpose: ")
    assert not re.search(r"['\" ]/(home|root|mnt|data|work|tmp)\b", text)


@pytest.mark.parametrize("name", TASKS)
def test_only_simulated_tasks_are_marked_simulated(name):
    assert SPECS[name].simulated == name.startswith("simulated_")


def test_no_two_tasks_with_the_same_answers_ask_the_same_question():
    asked = {}
    for name in TASKS:
        spec = SPECS[name]
        for text in [*spec.phrasings, *spec.held_out_phrasings]:
            key = (text, *sorted(answers(spec)))
            assert key not in asked, f"{name} and {asked[key]} ask {text!r}"
            asked[key] = name


@pytest.mark.parametrize("name", TASKS)
def test_no_answer_of_a_task_begins_with_another(name):
    words = answers(SPECS[name])
    assert not [(a, b) for a in words for b in words if a != b and b.startswith(a)]


@pytest.mark.parametrize("name", REAL)
def test_scores_on_a_held_out_share_are_said_not_to_be_the_publishers(name):
    spec = SPECS[name]
    if "test" in spec.source.hold_out:
        assert "do not compare with published ones" in spec.description
    elif spec.source.files.get("test", "").endswith("dev.csv"):
        assert "publisher's dev split" in spec.description
    elif spec.source.hold_out:
        assert re.search(r"set aside by a hash of the sequence", spec.description)


@pytest.mark.parametrize(
    "name",  # the search for similar sequences takes many seconds
    [pytest.param(n, marks=pytest.mark.slow) if SPECS[n].source.hold_out_by == "similarity" else n for n in LOCAL],
)
def test_a_task_with_files_reads_tables_of_the_layout_it_names(name, tmp_path):
    spec = SPECS[name]
    write_local(spec, tmp_path)
    for rows in read_task_table(spec, tmp_path).rows.values():
        assert {row.label for row in rows} == set(spec.labels)
        assert spec.window.policy == "error" or {len(row.sequence) for row in rows} == {spec.window.bases}


@pytest.mark.slow
def test_tasks_of_every_kind_and_format_build_from_tables_of_the_layout_they_name(tmp_path):
    chosen = ["enhancer_strength", "human_chimp_pair", "central_dogma_150", "uci_splice", "core_promoter_tata"]
    for name in chosen:
        write_local(SPECS[name], tmp_path)
    build_and_check(chosen, tmp_path, tmp_path)


def test_all_real_tasks_build_together_and_leave_no_leak(data_root, tmp_path):
    small = ["core_promoter_tata", "promoter_300_tata", "enhancer_cohn", "mouse_tf_2", "splice_site"]
    build_and_check(small, data_root, tmp_path)


@pytest.mark.slow
def test_every_real_task_builds_from_the_real_tables(data_root, tmp_path):
    there = [name for name in LOCAL if has_local_files(SPECS[name], data_root)]
    assert set(LOCAL) - set(there) == {"dna_pair", "dna_protein_pair"}  # a command makes their tables
    build_and_check(there, data_root, tmp_path)


def build_and_check(names, data_root, tmp_path):
    config = InstructionsConfig(tasks=names, data_root=str(data_root), output=str(tmp_path / "out"), max_train_rows=300)
    manifest = run(config)
    tested = {record["input"] for record in read_instructions(tmp_path / "out" / "test.jsonl")}
    tested |= {reverse_complement(sequence) for sequence in tested if set(sequence) <= set("ACGTN")}
    train = read_instructions(tmp_path / "out" / "train.jsonl")
    assert not [record for record in train if record["input"] in tested]
    for name in names:
        counts, spec = manifest["counts"][name], SPECS[name]
        strands = 2 if spec.strand_symmetric else 1
        assert 0 < counts["train"]["rows"] <= 300 * strands and counts["train"]["rows"] % strands == 0
        assert set(counts["train"]["answers"]) == set(counts["test"]["answers"]) == set(answers(spec))


def test_every_labelled_dna_table_there_is_has_a_task(data_root):
    """Left out: smaller few-shot draws, a dev file that lies in its test file, and answers of an earlier model."""
    kept = json.loads((data_root / "manifest.json").read_text())["files"]
    tables = {entry["path"].removesuffix(".gz") for entry in kept if re.match("dna|coding", entry["kind"])}
    read = {name.removesuffix(".gz") for spec in SPECS.values() for name in spec.source.files.values()}
    few = {name for name in tables if re.search(r"/train_(10|50|100|500)shot.csv", name)}
    assert tables - read <= few | {"genemask/splice_40/dev.csv"}
    assert {name.rpartition("/")[0] for name in few} <= {name.rpartition("/")[0] for name in read}


def test_splice_sites_have_their_consensus_in_the_middle_of_the_window(data_root):
    rows = read_task_table(load_task("splice_site"), data_root).rows["train"]
    for label, place, consensus in (("0", 58, "AG"), ("1", 60, "GT")):
        sequences = [row.sequence for row in rows if row.label == label]
        hits = sum(sequence[place : place + 2] == consensus for sequence in sequences)
        assert hits / len(sequences) > 0.98
        assert {len(sequence) for sequence in sequences} == {120}


@pytest.mark.slow
def test_nearly_every_positive_of_promoter_300_holds_a_core_promoter_row(data_root):
    from dnahlm.tasks.leaks.find import find_leaks

    longer = read_task_table(load_task("promoter_300"), data_root)
    shorter = read_task_table(load_task("core_promoter"), data_root)
    positives = [row.sequence for rows in longer.rows.values() for row in rows if row.label == "1"]
    cores = [row.sequence for rows in shorter.rows.values() for row in rows if row.label == "1"]
    holding = {leak.test_index for leak in find_leaks(cores, positives)}
    assert len(holding) / len(positives) > 0.98


def test_the_dev_file_beside_genemask_exon_edge_lies_inside_its_test_file_and_is_not_used(data_root):
    dev, test = (
        {row.values["sequence"] for row in read_table(data_root / f"genemask/splice_40/{split}.csv", ["sequence"])}
        for split in ("dev", "test")
    )
    assert dev < test
    assert "validation" in SPECS["genemask_exon_edge"].source.hold_out
