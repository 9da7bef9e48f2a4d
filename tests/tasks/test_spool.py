"""Rows on disk: what goes in comes out, and nothing stays behind."""

import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.io import InputError
from dnahlm.tasks import fairness
from dnahlm.tasks.repeats import first_of_question
from dnahlm.tasks.rows import LabelledRow, Reading
from dnahlm.tasks.sampling import cap_rows
from dnahlm.tasks.spec import load_task
from dnahlm.tasks.spool import Rows, Spool
from dnahlm.tasks.table import read_task_table

LINE = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20)
READINGS = st.builds(Reading, LINE, LINE, LINE, LINE)


@settings(deadline=None)
@given(st.lists(st.tuples(READINGS, st.text(st.characters(exclude_categories=["Cs"])))), st.randoms())
def test_rows_come_back_as_they_went_in_also_between_further_ones(given_rows, rng):
    with Spool() as spool:
        expected = []
        for number, (reading, source) in enumerate(given_rows):
            spool.add(str(number), reading, source)
            expected.append(
                LabelledRow(f"t-{number}", reading.sequence, reading.label, source, reading.second, reading.protein)
            )
            place = rng.randrange(number + 1)
            assert spool.row(place, "t-") == expected[place]
        rows = Rows(spool, np.arange(len(spool)), "t-")
        assert list(rows) == expected == [rows[i] for i in range(len(rows))]
        same = rows.labels[:, None] == rows.labels
        assert same.tolist() == [[a.label == b.label for b in expected] for a in expected]


def test_marked_rows_are_not_clean():
    with Spool() as spool:
        for number in range(4):
            spool.add(str(number), Reading("0", "ACGT"), "x")
        Rows(spool, np.array([3, 1]), "").mark(np.array([True, False]))
        assert [row.clean for row in Rows(spool, np.arange(4), "")] == [True, True, True, False]


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), max_size=40))
def test_the_first_row_of_a_question_is_the_first_of_the_list(numbers):
    digests = np.array([[n // 2, n % 2] for n in numbers], np.uint64).reshape(-1, 2)
    assert first_of_question(digests).tolist() == [numbers.index(n) for n in numbers]


def test_capped_rows_stay_in_order(desk):
    table = read_task_table(load_task(desk.filled()), desk.root)
    rows = cap_rows(table.rows["train"], 7, seed=1)
    assert len(rows) == 7
    assert rows.numbers.tolist() == sorted(rows.numbers)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_leaks_do_not_depend_on_how_many_rows_are_searched_at_a_time(desk, monkeypatch, size):
    task = desk.filled()
    dna = desk.dna(60)
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.writelines(f"{s},0\n" for s in (dna[41], f"A{dna[52]}", dna[55][3:], dna[55], dna[59]))
    whole, splits = desk.build(task)
    monkeypatch.setattr(fairness, "AT_ONCE", size)
    monkeypatch.setattr(fairness, "TESTED_AT_ONCE", size)
    parts, again = desk.build(task, output="parts")
    assert (parts["counts"], again) == (whole["counts"], splits)
    assert sum(whole["counts"]["leaks"].values()) == 5


def test_what_could_not_be_searched_is_counted_once_however_many_batches_there_are(desk, monkeypatch):
    task = desk.filled()
    desk.table("mine_test.csv", [("ACGTACGT", 0), *((s, 1) for s in desk.dna(3, seed=4))])
    monkeypatch.setattr(fairness, "AT_ONCE", 10)
    with Spool() as spool:
        report = fairness.remove_leaks([read_task_table(load_task(task), desk.root, spool)])
    assert report["search"]["train"]["near_sequences_not_searched"] == 1


def big_task(desk, rows=40_000):
    rng = random.Random(0)
    task = desk.filled()
    desk.table("mine_train.csv", [("".join(rng.choices("ACGT", k=100)), i % 2) for i in range(rows)])
    return task


def test_ctrl_c_in_the_middle_of_a_build_leaves_nothing_behind(desk):
    task = big_task(desk)
    before = sorted(path.name for path in desk.root.iterdir())
    command = ["instructions", "build", "--tasks", task, "--data_root", desk.root, "--output", desk.root / "out"]
    process = subprocess.Popen(
        [sys.executable, "-m", "dnahlm", *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a suite in the background ignores Ctrl-C
    )  # fmt: skip
    part = desk.root / "out.part"
    for _ in range(6000):
        if process.poll() is not None or part.is_dir():
            break
        time.sleep(0.01)
    assert list(part.iterdir()) == []  # the rows lie in a file without a name
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    process.communicate()
    assert sorted(path.name for path in desk.root.iterdir()) == before


def test_a_refused_row_leaves_nothing_behind(desk):
    task = big_task(desk, 100)
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write("ACGT,7\n")
    before = sorted(path.name for path in desk.root.iterdir())
    with pytest.raises(InputError, match=r"mine_train.csv:102"):
        desk.build(task)
    assert sorted(path.name for path in desk.root.iterdir()) == before


def test_a_full_disk_is_told_by_the_folder_of_the_rows(tmp_path):
    with pytest.raises(OSError, match="No space left") as error, Spool(tmp_path) as spool:
        spool.file.close()
        spool.file = open("/dev/full", "r+b")  # noqa: SIM115 (the spool closes it)
        spool.add("1", Reading("0", "ACGT" * 9000), "x.csv:2")
    assert error.value.filename == str(tmp_path)
