import pytest

from dnahlm.dna import reverse_complement
from dnahlm.io import InputError
from dnahlm.tasks.spec import load_task
from dnahlm.tasks.table import held_out_split, read_task_table


def read(desk, task):
    return read_task_table(load_task(task), desk.root)


def refused(desk, task):
    with pytest.raises(InputError) as error:
        read(desk, task)
    return str(error.value)


def with_train_row(desk, row):
    """The ready-made task with one more train row, on line 42."""
    task = desk.filled()
    with (desk.root / "mine_train.csv").open("a", encoding="utf-8", newline="") as handle:
        handle.write(row + "\n")
    return task


def test_a_missing_column_is_named_with_the_columns_found(desk):
    task = desk.filled(columns={"sequence": "dna", "label": "label"})
    said = refused(desk, task)
    assert "mine_train.csv:1: no column 'dna'" in said
    assert "'sequence'" in said


def test_an_unknown_label_is_refused_with_file_line_and_declared_labels(desk):
    said = refused(desk, with_train_row(desk, "ACGTACGT,2"))
    assert "mine_train.csv:42: label '2' is not declared by task mine (declared: ['0', '1'])" in said
    assert "mine.yaml" in said


@pytest.mark.parametrize("row", [",1", "   ,1", "ACGT,"])
def test_an_empty_cell_is_refused(desk, row):
    assert "mine_train.csv:42: column" in refused(desk, with_train_row(desk, row))


def test_a_byte_order_mark_is_not_part_of_the_first_column(desk):
    task = desk.filled()
    path = desk.root / "mine_train.csv"
    path.write_text("\ufeff" + path.read_text(), encoding="utf-8")
    assert len(read(desk, task).rows["train"]) == 40


def test_a_quoted_newline_is_refused(desk):
    assert "mine_train.csv:42: column 'sequence' holds a quoted newline" in refused(
        desk, with_train_row(desk, '"ACGT\nACGT",1')
    )


def test_protein_letters_are_refused_with_letter_place_and_task(desk):
    said = refused(desk, with_train_row(desk, "ACGTMEEPQSDPSV,1"))
    assert "mine_train.csv:42: task mine, column 'sequence': 'E' at base 6 is not a nucleotide" in said
    assert "protein" in said


def test_swapped_columns_are_refused(desk):
    task = desk.filled(columns={"sequence": "label", "label": "sequence"})
    assert "the columns 'label' and 'sequence' seem to be swapped" in refused(desk, task)


def test_swapped_columns_whose_labels_are_words_are_not_taken_for_proteins(desk):
    labels = {"promoter": "promoter", "other": "non-promoter"}
    task = desk.filled(labels=labels)
    desk.table("mine_train.csv", [(list(labels)[i % 2], sequence) for i, sequence in enumerate(desk.dna(9))])
    said = refused(desk, task)
    assert "mine_train.csv:2: task mine: the columns 'sequence' and 'label' seem to be swapped" in said
    assert "'sequence' holds 'promoter'" in said
    assert "protein" not in said


def test_a_label_that_spells_dna_is_not_taken_for_a_swapped_column(desk):
    task = desk.filled(labels={"TATA": "with a TATA box", "GATA": "with a GATA box"})
    desk.table("mine_train.csv", [("ACGTACXT", "TATA")])
    assert "'X' at base 7 is not a nucleotide" in refused(desk, task)


@pytest.mark.parametrize("word", ["NA", "NaN", "nan"])
def test_a_word_for_a_missing_value_is_not_read_as_dna(desk, word):
    task = desk.filled()
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write(f"{word},1\n")
    assert f"mine_train.csv:42: task mine, column 'sequence': '{word}' stands for a missing value" in refused(
        desk, task
    )


def test_k_mers_in_a_plain_table_are_not_read_one_after_the_other(desk):
    task = desk.filled()
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write("ACG CGT GTA,1\n")
    said = refused(desk, task)
    assert "mine_train.csv:42" in said
    assert "`format: kmer_tsv`" in said


def test_blanks_between_bases_are_dropped_and_counted(desk):
    task = desk.filled()
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write("ACGTTGCATT GGATCCAGTA TT,1\n")
    table = read(desk, task)
    assert table.rows["train"][-1 + len(table.rows["train"])].sequence == "ACGTTGCATTGGATCCAGTATT"
    assert table.counts["rows_with_blanks"] == 1


@pytest.mark.parametrize(("found", "meant"), [("1.0", "1"), ("Site", "site")])
def test_a_label_written_otherwise_is_refused_with_the_declared_one(desk, found, meant):
    task = desk.filled(labels={"0": "background", "1": "binding site", "site": "other"})
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write(f"ACGT,{found}\n")
    assert f"mine_train.csv:42: label '{found}' is not declared" in refused(desk, task)
    assert f"Is it '{meant}', written otherwise?" in refused(desk, task)


def test_a_folder_where_a_table_should_be_is_named_with_the_task_file(desk):
    task = desk.filled()
    (desk.root / "mine_train.csv").unlink()
    (desk.root / "mine_train.csv").mkdir()
    said = refused(desk, task)
    assert "mine_train.csv: is a folder where a file is needed" in said
    assert f"{task}:" in said


def test_lower_case_u_n_and_iupac_rows_are_accepted_and_counted(desk):
    task = desk.filled()
    desk.table("mine_train.csv", [("acgtACGT", 0), ("ACGUUUUU", 1), ("ACGTNNNN", 0), ("RYACGTTT", 1), ("AAAACCCC", 1)])
    table = read(desk, task)
    assert [row.sequence for row in table.rows["train"]] == ["ACGTACGT", "ACGTTTTT", "ACGTNNNN", "NNACGTTT", "AAAACCCC"]
    counts = {
        name: table.counts[name]
        for name in ("rows_with_lower_case", "rows_with_u", "rows_with_n", "iupac_letters_made_n")
    }
    assert counts == {"rows_with_lower_case": 1, "rows_with_u": 1, "rows_with_n": 1, "iupac_letters_made_n": 2}


def test_repeated_train_rows_are_removed_and_counted(desk):
    task = desk.filled()
    desk.table("mine_train.csv", [("ACGTT", 0), ("CCCAA", 1), ("ACGTT", 0), ("acgtt", 0)])
    table = read(desk, task)
    assert [(row.id, row.sequence) for row in table.rows["train"]] == [
        ("mine-train-1", "ACGTT"),
        ("mine-train-2", "CCCAA"),
    ]
    assert table.counts["repeated_rows_train"] == 2


def test_a_sequence_with_two_labels_leaves_train_and_stays_in_test(desk):
    task = desk.filled()
    rows = [("ACGTT", 0), ("CCCAA", 1), ("ACGTT", 1), ("GGGAA", 0)]
    desk.table("mine_train.csv", rows)
    desk.table("mine_dev.csv", rows)
    desk.table("mine_test.csv", rows)
    table = read(desk, task)
    assert {split: len(rows) for split, rows in table.rows.items()} == {"train": 2, "validation": 2, "test": 4}
    assert [table.counts[f"contradicting_rows_{s}"] for s in ("train", "validation", "test")] == [2, 2, 2]


@pytest.mark.parametrize(("symmetric", "kept"), [(True, 2), (False, 4)])
def test_both_strands_are_one_sequence_only_where_the_label_is_symmetric(desk, symmetric, kept):
    task = desk.filled(strand_symmetric=symmetric)
    rows = [("ACGTTA", 0), (reverse_complement("ACGTTA"), 1), ("GGGAA", 0), ("CCCAT", 1)]
    desk.table("mine_train.csv", rows)
    assert len(read(desk, task).rows["train"]) == kept


def test_a_row_longer_than_the_window_is_an_error(desk):
    said = refused(desk, desk.filled(window={"bases": 30, "policy": "error"}))
    assert "mine_train.csv:2: 40 bases; task mine takes at most 30" in said
    assert "policy: center" in said


def test_center_keeps_the_middle_and_counts_the_cut_rows(desk):
    task = desk.filled(window={"bases": 4, "policy": "center"})
    desk.table("mine_train.csv", [("AAACGTGG", 0), ("ACGAA", 1), ("CC", 0)])
    table = read(desk, task)
    assert [row.sequence for row in table.rows["train"]] == ["ACGT", "ACGA", "CC"]
    assert table.counts["rows_cut_to_window"] == 2 + 20


def test_held_out_shares_are_near_what_was_asked(desk):
    splits = [held_out_split(s, {"validation": 0.1, "test": 0.2}) for s in desk.dna(5000)]
    assert abs(splits.count("validation") / 5000 - 0.1) < 0.02
    assert abs(splits.count("test") / 5000 - 0.2) < 0.02


def test_both_strands_are_held_out_together(desk):
    shares = {"validation": 0.3, "test": 0.3}
    assert all(held_out_split(s, shares) == held_out_split(reverse_complement(s), shares) for s in desk.dna(300))


def test_a_row_keeps_its_split_when_rows_are_added(desk):
    source = {"format": "csv", "files": {"train": "all.csv"}, "hold_out": {"validation": 0.2, "test": 0.2}}
    task = desk.task(source=source)
    rows = [(sequence, i % 2) for i, sequence in enumerate(desk.dna(200))]
    desk.table("all.csv", rows[:100])
    before = {row.sequence: split for split, rows in read(desk, task).rows.items() for row in rows}
    desk.table("all.csv", rows)
    after = {row.sequence: split for split, rows in read(desk, task).rows.items() for row in rows}
    assert len(before) == 100
    assert before.items() <= after.items()


def test_a_split_without_rows_is_refused(desk):
    source = {"format": "csv", "files": {"train": "all.csv"}, "hold_out": {"validation": 0.001, "test": 0.2}}
    desk.table("all.csv", [(sequence, i % 2) for i, sequence in enumerate(desk.dna(20))])
    assert "task mine has no validation rows" in refused(desk, desk.task(source=source))


def test_a_label_absent_from_train_is_refused(desk):
    task = desk.filled(labels={"0": "background", "1": "binding site", "2": "unsure"})
    assert "task mine has no train rows with label ['2']" in refused(desk, task)


def test_rows_remember_file_and_line_under_the_data_root(desk):
    table = read(desk, desk.filled())
    assert table.rows["test"][3].source == "mine_test.csv:5"
    assert table.rows["test"][3].id == "mine-test-4"


def test_a_row_that_left_for_its_second_label_is_not_counted_as_a_repetition_too(desk):
    task = desk.filled()
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write(f"{desk.dna(60)[0]},1\n{desk.dna(60)[1]},1\n")
    counts = read(desk, task).counts
    assert (counts["contradicting_rows_train"], counts["repeated_rows_train"]) == (2, 1)
