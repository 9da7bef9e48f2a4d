import pytest

from dnahlm.cli import main
from dnahlm.tasks.spec import shipped_tasks


def test_list_names_every_shipped_task_with_kind_and_origin(capsys):
    main(["tasks", "list"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == list(shipped_tasks())
    assert next(line for line in lines if line.startswith("dna_pair ")).split()[1] == "pair"


def test_inspect_shows_counts_lengths_leaks_and_three_prompts(desk, capsys):
    task = desk.filled()
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write(f"TTT{desk.dna(60)[50]},0\n")
    main(["tasks", "inspect", str(task), "--data_root", str(desk.root)])
    said = capsys.readouterr().out
    assert "train             41 rows  40-43 bases (median 40)  21 background, 20 binding site" in said
    assert (
        "one inside the other: 1 train row of mine and 1 test row of mine, such as mine_train.csv:42 and mine_test.csv:2"
        in said
    )
    assert "clean: 9 of 10 test rows" in said
    assert said.count("### Response:\n") == 3
    assert "New " in said.rpartition("### Instruction:")[2]
    assert not list(desk.root.glob("instructions*"))


def test_validate_says_ok(desk, capsys):
    task = desk.filled()
    main(["tasks", "validate", str(task), "--data_root", str(desk.root)])
    assert capsys.readouterr().out == f"ok: {task}: 40 train, 10 validation, 10 test rows\n"


def test_validate_reports_every_problem_of_a_file_and_exits_with_2(desk, capsys):
    task = desk.task(id="Mine", metrics=["mc"], window={"bases": 0, "policy": "center"}, phrasings=["One {options}?"])
    with pytest.raises(SystemExit) as stop:
        main(["tasks", "validate", str(task)])
    said = capsys.readouterr().err
    assert stop.value.code == 2
    assert "4 problems found" in said
    assert all(key in said for key in (": id: ", ": metrics: ", ": window: ", ": phrasings: "))


def test_validate_reads_the_tables(desk, capsys):
    task = desk.filled()
    with (desk.root / "mine_dev.csv").open("a") as handle:
        handle.write("ACGT,7\n")
    with pytest.raises(SystemExit):
        main(["tasks", "validate", str(task), "--data_root", str(desk.root)])
    assert "mine_dev.csv:12: label '7' is not declared" in capsys.readouterr().err


def refused(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main(["tasks", "validate", *map(str, args)])
    assert stop.value.code == 2
    return capsys.readouterr().err.splitlines()


def test_validate_reports_every_unknown_and_missing_key_at_once(desk, capsys):
    task = desk.task(colour="red", source={"format": "csv", "file": {}})
    task.write_text(task.read_text().replace('"citation": "none",', ""))
    said = "\n".join(refused(capsys, task))
    assert "3 problems found" in said
    assert all(f"unknown key {key!r}" in said for key in ("colour", "file"))
    assert "key 'citation' is missing" in said


def test_validate_reports_every_phrasing_at_fault(desk, capsys):
    said = refused(capsys, desk.task(phrasings=[f"Q{i}? {{options}}." for i in range(7)] + ["One?", "{x} {options}?"]))
    assert ["'One?' must hold" in said[1], "unknown field '{x}'" in said[2], len(said)] == [True, True, 3]


def test_validate_reports_every_row_at_fault_with_its_line_and_the_task_file(desk, capsys):
    task = desk.filled()
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write("ACGT,7\nACGX,0\nACGTT,0\n1,ACGT\n")
    with (desk.root / "mine_dev.csv").open("a") as handle:
        handle.write("ACGT,7,9\n")
    said = refused(capsys, task, "--data_root", desk.root)
    assert "4 problems found" in said[0]
    places = ("mine_train.csv:42", "mine_train.csv:43", "mine_train.csv:45", "mine_dev.csv:12")
    for place, line in zip(places, said[1:], strict=True):
        assert place in line
        assert str(task) in line


def test_validate_stops_at_twenty_rows_of_a_file(desk, capsys):
    task = desk.filled(columns={"sequence": "label", "label": "sequence"})
    said = refused(capsys, task, "--data_root", desk.root)
    assert "40 problems found" in said[0]  # 20 of train, and all 10 of the two others
    assert all("seem to be swapped" in line for line in said[1:])


def test_columns_swapped_are_told_of_before_letters_that_are_no_nucleotides(desk, capsys):
    task = desk.filled()
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write("promoter,ACGTACGT\n")
    said = refused(capsys, task, "--data_root", desk.root)[1]
    assert "the columns 'sequence' and 'label' seem to be swapped" in said
    assert "protein" not in said


def test_validate_names_both_rows_of_every_contradiction_and_a_build_the_first_five(desk, capsys):
    task = desk.filled()
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.writelines(f"{desk.dna(60)[i]},{1 - i % 2}\n" for i in range(8))
    main(["tasks", "validate", str(task), "--data_root", str(desk.root)])
    said = capsys.readouterr().out
    assert all(f"mine_train.csv:{2 + i} and mine_train.csv:{42 + i}: task mine: the same" in said for i in range(8))
    assert "32 train" in said
    desk.build(task)
    said = capsys.readouterr().out
    assert said.count("the same question with labels") == 5
    assert "and 3 more; `dnahlm tasks validate` lists them all" in said


def test_contradicting_rows_are_named_by_line(desk, capsys):
    task = desk.filled()
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write(f"{desk.dna(60)[0]},1\n")
    main(["tasks", "validate", str(task), "--data_root", str(desk.root)])
    said = capsys.readouterr().out
    assert "mine_train.csv:2 and mine_train.csv:42: task mine: the same question with labels '0' and '1'" in said
    assert "both leave train" in said
