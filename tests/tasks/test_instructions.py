import json

import pytest

from dnahlm.dna import reverse_complement
from dnahlm.io import InputError, shipped
from dnahlm.manifest import read_manifest
from dnahlm.tasks.fairness import remove_leaks
from dnahlm.tasks.instructions import COLUMNS, read_instructions


def by_id(records):
    return {record["id"]: record for record in records}


def test_the_output_folder_holds_splits_tasks_leaks_registry_and_manifest(desk):
    task = desk.filled()
    desk.build(task)
    output = desk.root / "instructions"
    assert sorted(str(p.relative_to(output)) for p in output.rglob("*") if p.is_file()) == [
        "dataset_info.json", "leaks.json", "manifest.json", "tasks/mine.yaml",
        "test.jsonl", "test_held_out.jsonl", "train.jsonl", "validation.jsonl",
    ]  # fmt: skip
    assert (output / "tasks" / "mine.yaml").read_bytes() == task.read_bytes()
    assert (output / "dataset_info.json").read_text() == (shipped("data_templates") / "dataset_info.json").read_text()


def test_a_record_holds_question_dna_answer_and_where_they_come_from(desk):
    _, splits = desk.build(desk.filled())
    record = by_id(splits["test"])["mine-test-2"]
    n = int(record["phrasing"].removeprefix("train-"))
    assert tuple(record) == (*COLUMNS, "clean")
    assert record["clean"] is True
    assert record["instruction"] in {
        f"Question {n} about mine? background or binding site.", f"Question {n} about mine? binding site or background.",
    }  # fmt: skip
    assert (record["output"], record["label"], record["strand"]) == ("binding site", "1", "+")
    assert record["input"] == desk.dna(60)[51]
    assert record["source"] == "mine_test.csv:3"


def test_every_row_is_counted_in_the_manifest(desk):
    manifest, splits = desk.build(desk.filled())
    assert {split: len(splits[split]) for split in ("train", "validation", "test")} == {
        "train": 40, "validation": 10, "test": 10,
    }  # fmt: skip
    assert manifest["counts"]["mine"]["train"] == {
        "rows": 40, "answers": {"background": 20, "binding site": 20}, "reverse_complements": 0,
        "bases": 1600, "min_bases": 40, "max_bases": 40,
    }  # fmt: skip
    assert manifest["tasks"] == {"mine": 1}
    assert "mine/test" in manifest["inputs"]
    assert read_manifest(desk.root / "instructions", "instructions build")["counts"] == manifest["counts"]


def test_held_out_rows_are_the_test_rows_in_unseen_wordings(desk):
    _, splits = desk.build(desk.filled())
    keys = ("id", "input", "output", "label", "split")
    assert [[r[k] for k in keys] for r in splits["test_held_out"]] == [[r[k] for k in keys] for r in splits["test"]]
    assert all(
        r["phrasing"].startswith("held_out-") and r["instruction"].startswith("New") for r in splits["test_held_out"]
    )
    assert all(r["phrasing"].startswith("train-") for s in ("train", "validation", "test") for r in splits[s])


def test_all_wordings_and_orders_of_options_are_used(desk):
    _, splits = desk.build(desk.filled(n=200))
    assert len({record["phrasing"] for record in splits["train"]}) == 8
    assert len({record["instruction"] for record in splits["train"]}) == 16


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(desk):
    task = desk.filled()
    for output, seed in (("a", 1), ("b", 1), ("c", 2)):
        desk.build(task, output=output, seed=seed)
    texts = {name: (desk.root / name / "train.jsonl").read_bytes() for name in "abc"}
    assert texts["a"] == texts["b"] != texts["c"]


def test_adding_a_task_changes_no_record_of_another(desk):
    first, second = desk.filled("first"), desk.filled("second", seed=5)
    _, alone = desk.build(first, output="alone", max_train_rows=20)
    _, both = desk.build(first, second, output="both", max_train_rows=20)
    for split, records in alone.items():
        assert by_id(records).items() <= by_id(both[split]).items()


def test_train_rows_of_all_tasks_are_mixed(desk):
    _, splits = desk.build(desk.filled("first"), desk.filled("second", seed=5))
    tasks = [record["task"] for record in splits["train"]]
    assert tasks != sorted(tasks)
    assert {"first", "second"} == set(tasks[:20])


def test_symmetric_tasks_get_the_other_strand_of_train_rows_only(desk):
    manifest, splits = desk.build(desk.filled(strand_symmetric=True))
    rows = by_id(splits["train"])
    assert len(rows) == 80
    assert all(
        rows[f"mine-train-{i}-rc"]["input"] == reverse_complement(rows[f"mine-train-{i}"]["input"])
        for i in range(1, 41)
    )
    assert {record["strand"] for split in ("validation", "test") for record in splits[split]} == {"+"}
    assert {record["strand"] for record in rows.values()} == {"+", "-"}
    assert manifest["counts"]["mine"]["train"]["reverse_complements"] == 40


@pytest.mark.parametrize(("symmetric", "asked"), [(False, True), (True, False)])
def test_no_other_strand_without_symmetry_or_against_the_setting(desk, symmetric, asked):
    _, splits = desk.build(desk.filled(strand_symmetric=symmetric), reverse_complement=asked)
    assert len(splits["train"]) == 40


def test_caps_keep_the_shares_of_the_classes(desk):
    task = desk.filled()
    desk.table("mine_train.csv", [(sequence, int(i % 4 == 0)) for i, sequence in enumerate(desk.dna(400, seed=9))])
    manifest, _ = desk.build(task, max_train_rows=40, max_validation_rows=4, max_test_rows=2)
    assert manifest["counts"]["mine"]["train"]["answers"] == {"background": 30, "binding site": 10}
    assert [manifest["counts"]["mine"][split]["rows"] for split in ("validation", "test")] == [4, 2]


def test_a_rare_class_is_never_capped_away(desk):
    task = desk.filled()
    desk.table("mine_train.csv", [(sequence, int(i == 7)) for i, sequence in enumerate(desk.dna(400, seed=9))])
    manifest, _ = desk.build(task, max_train_rows=10)
    assert manifest["counts"]["mine"]["train"]["answers"] == {"background": 9, "binding site": 1}


def test_the_cap_counts_rows_before_reverse_complements(desk):
    _, splits = desk.build(desk.filled(strand_symmetric=True), max_train_rows=10)
    assert len(splits["train"]) == 20


def planted(desk):
    """Two tasks; train rows 41-44 of `short` give rows of `short` and `long` away, each in another way."""
    long = desk.filled("long", size=90, seed=7)
    short = desk.filled("short")
    own_test, own_dev = desk.dna(60)[50], desk.dna(60)[40]
    other_test = desk.dna(60, 90, 7)[55]
    rows = [
        (own_test, 0),
        (reverse_complement(own_test), 0),
        (f"TTT{own_dev}TTT", 1),
        (reverse_complement(other_test[20:60]), 1),
    ]
    with (desk.root / "short_train.csv").open("a") as handle:
        handle.writelines(f"{sequence},{label}\n" for sequence, label in rows)
    return short, long


def test_train_rows_that_leak_into_any_task_are_removed_and_counted_by_kind(desk):
    manifest, splits = desk.build(*planted(desk))
    assert not {f"short-train-{i}" for i in range(41, 45)} & by_id(splits["train"]).keys()
    assert manifest["counts"]["leaks"] == {
        "short/train -> short/test: exact": 1,
        "short/train -> short/test: reverse_complement": 1,
        "short/train -> short/validation: contained": 1,
        "short/train -> long/test: contained": 1,
    }
    assert manifest["counts"]["short"]["table"]["leaking_rows_train"] == 4
    assert manifest["counts"]["short"]["test"]["rows"] == manifest["counts"]["long"]["test"]["rows"] == 10


def test_leaks_are_listed_with_both_rows(desk):
    desk.build(*planted(desk))
    report = json.loads((desk.root / "instructions" / "leaks.json").read_text())
    assert report["removed_rows"]["train"] == {"short": 4, "long": 0}
    (entry,) = [leak for leak in report["leaks"] if leak["against_task"] == "long"]
    assert entry["examples"] == [
        {
            "id": "short-train-44", "source": "short_train.csv:45",
            "against_id": "long-test-6", "against_source": "long_test.csv:7",
        }
    ]  # fmt: skip


def test_validation_rows_that_leak_into_test_are_removed(desk):
    task = desk.filled()
    own_test = desk.dna(60)[50]
    with (desk.root / "mine_dev.csv").open("a") as handle:
        handle.write(f"{own_test},0\n")
    manifest, splits = desk.build(task)
    assert len(splits["validation"]) == 10
    assert manifest["counts"]["leaks"] == {"mine/validation -> mine/test: exact": 1}


def test_a_task_whose_train_rows_all_leak_is_refused_and_nothing_is_written(desk):
    task = desk.filled(n=10)
    desk.table("mine_train.csv", [(sequence, i % 2) for i, sequence in enumerate(desk.dna(30)[20:])])
    with pytest.raises(InputError, match="task mine has no train rows once rows that give test rows away are removed"):
        desk.build(task)
    assert not list(desk.root.glob("instructions*"))


def test_a_bad_row_leaves_no_output_and_the_old_one_intact(desk):
    task = desk.filled()
    desk.build(task)
    before = (desk.root / "instructions" / "train.jsonl").read_bytes()
    with (desk.root / "mine_test.csv").open("a") as handle:
        handle.write("PROTEIN,1\n")
    with pytest.raises(InputError, match=r"mine_test.csv:12"):
        desk.build(task, overwrite=True)
    assert (desk.root / "instructions" / "train.jsonl").read_bytes() == before
    assert sorted(p.name for p in desk.root.glob("instructions*")) == ["instructions"]


def test_an_existing_output_is_refused_without_overwrite(desk):
    task = desk.filled()
    desk.build(task)
    with pytest.raises(InputError, match="--overwrite"):
        desk.build(task)


def test_two_tasks_with_one_id_are_refused(desk):
    task = desk.filled()
    with pytest.raises(InputError, match="id 'mine' is there 2 times"):
        desk.build(task, task)


def test_no_tasks_are_refused_with_the_shipped_names(desk):
    with pytest.raises(InputError, match=r"tasks: none given. Shipped: .*core_promoter, "):
        desk.build()


def test_a_negative_cap_is_refused(desk):
    with pytest.raises(InputError, match="max_test_rows: -1"):
        desk.build(desk.filled(), max_test_rows=-1)


def test_each_task_prints_one_line_of_facts(desk, capsys):
    desk.build(desk.filled(strand_symmetric=True))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "mine: 80 train, 10 validation, 10 test rows (40 of train are reverse complements); "
        "train 40 background, 40 binding site; 40 bases a row; 4,000 bases in all, 3,200 of train; nothing changed"
    )
    assert lines[1].startswith("wrote 80 train, 10 validation, 10 test instructions, tasks: 1 -> ")


def test_what_was_changed_and_left_out_is_printed_in_words(desk, capsys):
    task = desk.filled()
    known = desk.dna(60)
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write(f"{known[0].lower()},0\n{known[50]},0\n")
    desk.build(task, max_train_rows=20)
    assert (
        capsys.readouterr()
        .out.splitlines()[0]
        .endswith(
            "1 row with lower case, made upper; 1 row of train repeating another, left out; 1 row of train giving "
            "validation or test rows away, left out; 1 row of test given away, not clean; "
            "20 rows of train left out by the settings"
        )
    )


def test_several_labels_of_one_row_are_printed_as_one_class(desk, capsys):
    labels = {"0": "in the liver", "1": "in the brain"}
    task = desk.filled(kind="multilabel", labels=labels, none_label="none", metrics=["f1_micro"])
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write(f"{desk.dna(1, seed=5)[0]},0;1\n")
    desk.build(task)
    assert "train 20 in the brain, 20 in the liver, 1 in the liver + in the brain;" in capsys.readouterr().out


def test_a_table_that_changes_while_it_is_built_from_is_refused_and_nothing_is_written(desk, monkeypatch):
    task = desk.filled()

    def check(tables, *settings):
        (desk.root / "mine_dev.csv").write_text("sequence,label\nACGT,1\n")
        return remove_leaks(tables, *settings)

    monkeypatch.setattr("dnahlm.tasks.instructions.remove_leaks", check)
    with pytest.raises(InputError, match=r"mine_dev.csv: was changed while task mine"):
        desk.build(task)
    assert not list(desk.root.glob("instructions*"))


def test_written_records_are_read_back(desk):
    _, splits = desk.build(desk.filled())
    assert read_instructions(desk.root / "instructions" / "test.jsonl") == splits["test"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{not json", "x.jsonl:2: not valid JSON"),
        ('{"id": "a"}', "x.jsonl:2: text for ['task'"),
        ("[1]", "x.jsonl:2: text for"),
    ],
)
def test_a_damaged_instruction_file_is_refused_with_its_line(desk, line, said):
    _, splits = desk.build(desk.filled())
    path = desk.root / "x.jsonl"
    path.write_text(json.dumps(splits["test"][0]) + "\n" + line + "\n")
    with pytest.raises(InputError) as error:
        read_instructions(path)
    assert said in str(error.value)
