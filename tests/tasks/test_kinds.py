import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.dna import reverse_complement
from dnahlm.io import InputError
from dnahlm.tasks.kinds import answer_text, title
from dnahlm.tasks.rows import windows
from dnahlm.tasks.spec import answers, load_task
from dnahlm.tasks.table import read_task_table

PLAIN = {
    "phrasings": [f"Question {i}?" for i in range(8)],
    "held_out_phrasings": [f"New question {i}?" for i in range(3)],
}


def rows_of(desk, header, line_of, name="mine"):
    """40 train, 10 validation and 10 test rows, written by `line_of(i, sequence)`."""
    dna = desk.dna(60)
    lines = [line_of(i, sequence) for i, sequence in enumerate(dna)]
    for split, part in (("train", lines[:40]), ("dev", lines[40:50]), ("test", lines[50:])):
        desk.table(f"{name}_{split}.csv", part, header)
    return dna


def add_train_row(desk, *cells):
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write(",".join(cells) + "\n")


def first(splits, split="test"):
    return splits[split][0]


def pair_task(desk, **changes):
    return desk.task(**{"kind": "pair"} | changes)


def pair_rows(desk, header="sequence1,sequence2,label"):
    return rows_of(desk, header, lambda i, s: (s[:20], s[20:], i % 2))


def test_a_pair_is_asked_in_two_named_lines(desk):
    dna = pair_rows(desk)
    _, splits = desk.build(pair_task(desk))
    assert first(splits)["input"] == f"Sequence 1: {dna[50][:20]}\nSequence 2: {dna[50][20:]}"
    assert first(splits)["output"] == "background"


def test_a_pair_is_named_after_the_keys_of_its_columns_in_their_order(desk):
    dna = pair_rows(desk, "ref,alt,label")
    columns = {"reference": "ref", "alternative": "alt", "label": "label"}
    _, splits = desk.build(pair_task(desk, columns=columns))
    assert first(splits)["input"] == f"Reference: {dna[50][:20]}\nAlternative: {dna[50][20:]}"


def test_both_sequences_of_a_symmetric_pair_are_turned_together(desk):
    pair_rows(desk)
    _, splits = desk.build(pair_task(desk, strand_symmetric=True))
    by_id = {record["id"]: record for record in splits["train"]}
    one, two = (line[12:] for line in by_id["mine-train-1"]["input"].split("\n"))
    assert by_id["mine-train-1-rc"]["input"] == (
        f"Sequence 1: {reverse_complement(one)}\nSequence 2: {reverse_complement(two)}"
    )


def test_the_same_pair_with_two_labels_leaves_train(desk):
    dna = pair_rows(desk)
    add_train_row(desk, dna[0][:20], dna[0][20:], "1")
    table = read_task_table(load_task(pair_task(desk)), desk.root)
    assert table.counts["contradicting_rows_train"] == 2
    assert len(table.rows["train"]) == 39


def test_a_pair_of_which_both_sequences_are_changed_is_one_changed_row(desk):
    pair_rows(desk)
    add_train_row(desk, "acgtnACGTTAG", "uggatcCCRATN", "1")
    table = read_task_table(load_task(pair_task(desk, window={"bases": 10, "policy": "center"})), desk.root)
    assert table.counts["rows_with_lower_case"] == table.counts["rows_with_n"] == 1
    assert table.counts["rows_cut_to_window"] == 61
    assert table.counts["iupac_letters_made_n"] == 1


def test_either_sequence_of_a_pair_gives_a_test_row_away(desk):
    dna = pair_rows(desk)
    add_train_row(desk, desk.dna(1, 20, seed=9)[0], dna[55][20:], "1")
    manifest, splits = desk.build(pair_task(desk))
    assert manifest["counts"]["leaks"] == {"mine/train -> mine/test: exact": 1}
    assert [record["clean"] for record in splits["test"]] == [True] * 5 + [False] + [True] * 4


def protein_task(desk):
    rows_of(desk, "sequence,protein,label", lambda i, s: (s[:30], "mkvLAT*X", i % 2))
    return desk.task(kind="dna_protein_pair")


def test_dna_and_protein_are_asked_in_two_named_lines(desk):
    _, splits = desk.build(protein_task(desk))
    assert first(splits)["input"] == f"DNA: {desk.dna(60)[50][:30]}\nProtein: MKVLAT*X"


def test_a_letter_that_is_no_amino_acid_is_refused_with_line_and_place(desk):
    task = protein_task(desk)
    add_train_row(desk, "ACGT", "MKJV", "1")
    with pytest.raises(InputError, match=r"mine_train.csv:42: .*'protein': 'J' at residue 3 is no amino acid"):
        read_task_table(load_task(task), desk.root)


def test_a_decimal_comma_is_refused_with_the_way_to_write_it(desk):
    task = regression_task(desk)
    add_train_row(desk, "ACGT", '"1,5"')
    with pytest.raises(InputError, match=r"mine_train.csv:42: .*found '1,5' .*decimal mark as a point"):
        read_task_table(load_task(task), desk.root)


def test_one_number_written_in_two_ways_is_no_contradiction(desk):
    task = regression_task(desk)
    for number in ("1.5", "+1.50", "15e-1"):
        add_train_row(desk, "ACGTACGTAA", number)
    table = read_task_table(load_task(task), desk.root)
    assert (table.counts["contradicting_rows_train"], table.counts["repeated_rows_train"]) == (0, 2)


@pytest.mark.parametrize("cell", ["none;nucleus", ";", "nucleus;none"])
def test_none_beside_a_label_or_no_label_at_all_is_refused(desk, cell):
    task = multilabel_task(desk)
    add_train_row(desk, "ACGT", cell)
    with pytest.raises(InputError, match=rf"mine_train.csv:42: .*found '{cell}'; write the labels, or 'none' alone"):
        read_task_table(load_task(task), desk.root)


def test_a_label_that_no_row_of_a_split_has_is_refused_also_among_several(desk):
    task = multilabel_task(desk)
    desk.table("mine_test.csv", [(sequence, "nucleus") for sequence in desk.dna(5, seed=8)])
    with pytest.raises(InputError, match=r"mine_test.csv: task mine has no test rows with label \['cytosol'\]"):
        read_task_table(load_task(task), desk.root)


def test_dna_in_the_protein_column_asks_whether_columns_are_swapped(desk):
    task = protein_task(desk)
    add_train_row(desk, "ACGT", "ACGTACGT", "1")
    with pytest.raises(InputError, match=r"mine_train.csv:42: .*are the columns swapped|Are the columns swapped"):
        read_task_table(load_task(task), desk.root)


def multilabel_task(desk, **changes):
    rows_of(desk, "sequence,label", lambda i, s: (s, ("none", "nucleus", "cytosol;nucleus", "nucleus; cytosol")[i % 4]))
    labels = {"cytosol": "in the cytosol", "nucleus": "in the nucleus"}
    return desk.task(
        **{"kind": "multilabel", "labels": labels, "none_label": "none", "metrics": ["f1_micro"]} | changes
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": {"cytosol": "in, out", "nucleus": "inside"}}, "labels: answer 'in, out' holds ', '"),
        ({"labels": {"cytosol": "none", "nucleus": "inside"}}, "labels: answer 'none' is also the `none_label`"),
        ({"alternative_labels": {"cytosol": ["in, out"], "nucleus": ["x"]}}, "alternative_labels: answer 'in, out' holds"),
        ({"alternative_labels": {"cytosol": ["none"], "nucleus": ["x"]}}, "alternative_labels: answer 'none' is also"),
        ({"wordings": {"v1": {"phrasing": "Where?", "labels": {"cytosol": "none", "nucleus": "x"}}}},
         "wordings.v1: answer 'none' is also"),
        ({"none_label": "nucleus"}, "none_label: 'nucleus' is also a label"),
    ],
)  # fmt: skip
def test_words_of_several_labels_that_could_not_be_told_apart_are_refused(desk, changes, said):
    with pytest.raises(InputError) as error:
        load_task(multilabel_task(desk, **changes))
    assert said in str(error.value)


def test_several_labels_are_answered_in_the_order_of_the_task_file(desk):
    _, splits = desk.build(multilabel_task(desk))
    answered = {record["label"]: record["output"] for record in splits["test"]}
    assert answered == {
        "": "none", "nucleus": "in the nucleus", "cytosol;nucleus": "in the cytosol, in the nucleus",
    }  # fmt: skip


def test_an_undeclared_one_of_several_labels_is_refused(desk):
    task = multilabel_task(desk)
    add_train_row(desk, "ACGT", "nucleus;golgi")
    with pytest.raises(InputError, match=r"mine_train.csv:42: label 'golgi' is not declared"):
        read_task_table(load_task(task), desk.root)


def regression_task(desk):
    rows_of(desk, "sequence,label", lambda i, s: (s, i / 8))
    return desk.task(kind="regression", labels={}, decimals=2, metrics=["spearman"], **PLAIN)


def test_a_number_is_answered_with_the_digits_of_the_task(desk):
    _, splits = desk.build(regression_task(desk))
    assert (first(splits)["label"], first(splits)["output"]) == ("6.25", "6.25")
    assert splits["test"][1]["output"] == "6.38"


@pytest.mark.parametrize("cell", ["nan", "inf", "high", "1e999", "1_000", "\u0661", "0x10", "5%"])
def test_what_is_no_finite_number_is_refused(desk, cell):
    task = regression_task(desk)
    add_train_row(desk, "ACGT", cell)
    with pytest.raises(InputError, match=r"mine_train.csv:42: .*where a finite number such as"):
        read_task_table(load_task(task), desk.root)


def hierarchical_task(desk, **changes):
    rows_of(desk, "sequence,label", lambda i, s: (s, f"1.2.{i % 3}.{i}"))
    settings = {"kind": "hierarchical", "labels": {}, "levels": 4, "metrics": ["exact_match"]} | PLAIN
    return desk.task(**settings | changes)


def test_a_hierarchical_label_is_its_own_answer(desk):
    _, splits = desk.build(hierarchical_task(desk))
    assert first(splits)["output"] == "1.2.2.50"


@pytest.mark.parametrize("cell", ["1.2.3", "1.2..4", "1.2.3.4.5", "1.2.3. 4"])
def test_a_label_with_other_levels_is_refused(desk, cell):
    task = hierarchical_task(desk)
    add_train_row(desk, "ACGT", cell)
    with pytest.raises(InputError, match=r"mine_train.csv:42: .*is no label of 4 levels such as 1.2.3.4"):
        read_task_table(load_task(task), desk.root)


@pytest.mark.parametrize("make", [regression_task, hierarchical_task, multilabel_task])
def test_kinds_without_a_list_of_answers_say_so(desk, make):
    with pytest.raises(InputError, match="whose answers are no fixed list"):
        answers(load_task(make(desk)))


def test_a_class_absent_from_the_test_split_is_refused(desk):
    task = desk.filled()
    desk.table("mine_test.csv", [(sequence, 0) for sequence in desk.dna(5, seed=8)])
    with pytest.raises(InputError, match=r"mine_test.csv: task mine has no test rows with label \['1'\]"):
        read_task_table(load_task(task), desk.root)


def test_sliding_windows_keep_the_label_and_the_split_of_their_row(desk):
    task = desk.filled(window={"bases": 16, "policy": "slide", "overlap": 4}, size=42)
    manifest, splits = desk.build(task)
    pieces = [record for record in splits["test"] if record["source"] == "mine_test.csv:2"]
    dna = desk.dna(60, 42)[50]
    assert [(p["id"], p["input"]) for p in pieces] == [
        ("mine-test-1-w1", dna[:16]), ("mine-test-1-w2", dna[12:28]),
        ("mine-test-1-w3", dna[24:40]), ("mine-test-1-w4", dna[26:]),
    ]  # fmt: skip
    assert manifest["counts"]["mine"]["table"]["windows_made"] == 60 * 4


@settings(deadline=None)  # a busy machine is not a failure
@given(st.text("ACGT", min_size=1, max_size=60), st.integers(1, 20), st.data())
def test_windows_cover_every_base_and_are_full(sequence, bases, data):
    overlap = data.draw(st.integers(0, bases - 1))
    pieces = list(windows(sequence, bases, overlap))
    if len(sequence) <= bases:
        assert pieces == [sequence]
        return
    assert {len(piece) for piece in pieces} == {bases}
    starts = [n * (bases - overlap) for n in range(len(pieces) - 1)] + [len(sequence) - bases]
    assert [sequence[s : s + bases] for s in starts] == pieces
    assert {place for s in starts for place in range(s, s + bases)} == set(range(len(sequence)))


def test_a_group_never_crosses_splits(desk):
    rows = [(s, i % 2, f"gene{i // 4}") for i, s in enumerate(desk.dna(200))]
    desk.table("all.csv", rows, "sequence,label,gene")
    source = {"files": {"train": "all.csv"}, "hold_out": {"validation": 0.2, "test": 0.2}, "hold_out_by": "gene"}
    table = read_task_table(load_task(desk.task(source=source)), desk.root)
    gene_of = {s: gene for s, _, gene in rows}
    homes = [{gene_of[row.sequence] for row in rows} for rows in table.rows.values()]
    assert sum(map(len, homes)) == 50 == len(set().union(*homes))


def test_a_class_that_a_held_out_share_lacks_is_refused_with_the_share_as_a_way_out(desk):
    desk.table("all.csv", [(s, int(i < 3), f"gene{i}") for i, s in enumerate(desk.dna(60))], "sequence,label,gene")
    source = {"files": {"train": "all.csv"}, "hold_out": {"validation": 0.02, "test": 0.02}, "hold_out_by": "gene"}
    with pytest.raises(InputError, match=r"has no validation rows with label \['1'\].*another share under `hold_out:`"):
        read_task_table(load_task(desk.task(source=source)), desk.root)


def test_titles_are_words():
    assert [title(name) for name in ("sequence1", "left_arm", "ref", "x12")] == [
        "Sequence 1", "Left arm", "Ref", "X 12",
    ]  # fmt: skip


def write_fasta(path, sequences):
    path.write_text("".join(f">r{i}\n{sequence}\n" for i, sequence in enumerate(sequences)))


def test_one_fasta_file_per_class_is_a_task(desk):
    for i, split in enumerate(("train", "validation", "test")):
        dna = desk.dna(12, seed=i)
        write_fasta(desk.root / f"{split}_0.fa", dna[:6])
        write_fasta(desk.root / f"{split}_1.fa", dna[6:])
    names = {s: {c: f"{s}_{c}.fa" for c in "01"} for s in ("train", "validation", "test")}
    manifest, splits = desk.build(desk.task(source={"format": "fasta", "class_files": names}))
    assert [(r["source"], r["output"]) for r in splits["test"]][5:7] == [
        ("test_0.fa:11", "background"), ("test_1.fa:1", "binding site"),
    ]  # fmt: skip
    assert {"mine/train/0", "mine/train/1"} <= manifest["inputs"].keys()


def test_intervals_are_cut_from_the_genome_of_the_task(desk):
    genome = desk.dna(1, 3000)[0]
    write_fasta(desk.root / "genome.fa", [genome])
    for i, split in enumerate(("train", "dev", "test")):
        lines = [f"r0\t{n}\t{n + 50}\tn{n}\t{k % 2}\t+\n" for k, n in enumerate(range(i * 1000, i * 1000 + 800, 100))]
        (desk.root / f"mine_{split}.bed").write_text("".join(lines))
    source = {"format": "bed", "genome": "genome.fa"}
    source["files"] = {"train": "mine_train.bed", "validation": "mine_dev.bed", "test": "mine_test.bed"}
    task = desk.task(source=source, columns={"sequence": "sequence", "label": "score"})
    _, splits = desk.build(task)
    assert splits["test"][1]["input"] == genome[2100:2150]
    (desk.root / "mine_test.bed").write_text("r0\t2990\t3001\tx\t1\t+\n")
    with pytest.raises(InputError, match=r"mine_test.bed:1: .*3,?00[01]"):
        read_task_table(load_task(task), desk.root)


def test_hub_rows_are_read_when_no_local_file_is_there(desk):
    task = desk.filled()
    hub = desk.root / "hub"
    hub.mkdir()
    for ours, theirs in (("train", "train"), ("dev", "validation"), ("test", "test")):
        (desk.root / f"mine_{ours}.csv").rename(hub / f"{theirs}.csv")
    mapping = json.loads(task.read_text())
    mapping["source"] |= {"hub": str(hub), "hub_splits": {s: s for s in ("train", "validation", "test")}}
    task.write_text(json.dumps(mapping))
    table = read_task_table(load_task(task), desk.root)
    assert [len(rows) for rows in table.rows.values()] == [40, 10, 10]
    assert table.rows["test"][0].source == f"{hub} test:row 1"


def test_a_number_that_rounds_to_nothing_has_no_sign(desk):
    spec = load_task(desk.task(kind="regression", decimals=1, metrics=["mae"], labels={}, **PLAIN))
    assert [answer_text(spec, label) for label in ("-0.01", "-0.06", "2")] == ["0.0", "-0.1", "2.0"]


def test_a_protein_where_dna_should_be_asks_whether_the_columns_are_swapped(desk):
    rows_of(desk, "protein,sequence,label", lambda i, dna: (dna, "MKVFLAWYRE", i % 2))
    with pytest.raises(InputError, match="the columns 'sequence' and 'protein' seem to be swapped"):
        read_task_table(load_task(desk.task(kind="dna_protein_pair")), desk.root)
