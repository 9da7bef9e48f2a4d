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
    assert "1 train rows of mine: contained with 1 test rows of mine; mine_train.csv:42 and mine_test.csv:2" in said
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
