"""A full disk, a kill or Ctrl-C in the middle of a stage: earlier output intact, and the next run says what to do."""

import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout

import pytest
from small_world import snapshot, stages

from dnahlm.cli import main
from dnahlm.errors import machine_message
from dnahlm.io import old_of, part_of, staged_folder

STAGES = ("simulate", "corpus", "tokenizer", "pack", "instructions", "predict", "evaluate")
QUICK = ("tokenizer", "pack", "instructions", "predict")


def some(names, quick=QUICK):
    return [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in names]


@pytest.fixture
def earlier(world, tmp_path):
    """Run a stage whole once; returns the command that would replace what it wrote, and that output."""

    def run(stage):
        output = tmp_path / "out"
        command = [*stages(world)[stage], "--output", str(output)]
        main(command)  # it also imports everything, which a process without room could not do
        return [*command, "--overwrite"], output

    return run


@pytest.fixture
def no_large_files():
    """Limit this process to files of n bytes (None: any), which fails in every library as a full disk does."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda n_bytes: resource.setrlimit(resource.RLIMIT_FSIZE, (hard if n_bytes is None else n_bytes, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.parametrize("stage", some(STAGES))
def test_a_stage_without_room_says_so_and_changes_nothing(stage, earlier, no_large_files, tmp_path, capfd):
    command, _ = earlier(stage)
    before = snapshot(tmp_path)
    errors = io.StringIO()
    with capfd.disabled(), open(os.devnull, "w") as nowhere:  # the capture itself writes to files
        no_large_files(60 if stage == "predict" else 1000)  # its output is one short row
        with redirect_stdout(nowhere), redirect_stderr(errors), pytest.raises(SystemExit) as stop:
            main(command)
        no_large_files(None)
    assert stop.value.code == 2
    assert "File too large. What was there before is unchanged; make room" in errors.getvalue()
    after = snapshot(tmp_path)
    # What a model answered before is kept for --resume.
    assert {name: kept for name, kept in after.items() if "out.answers" not in str(name)} == before
    main(command)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 kB, which the one row of `predict` would not fill."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a small tmpfs here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("stage", some([name for name in STAGES if name != "predict"], ("pack", "instructions")))
def test_a_disk_that_fills_up_is_named_and_left_as_it_was(stage, world, small_disk, capsys):
    (small_disk / "mine.txt").write_text("mine")
    with pytest.raises(SystemExit) as stop:
        main([*stages(world)[stage], "--output", str(small_disk / "out")])
    assert stop.value.code == 2
    assert "No space left on device. What was there before is unchanged; make room" in capsys.readouterr().err
    assert {path.name for path in small_disk.iterdir()} - {"out.answers"} == {"mine.txt"}
    assert (stage == "evaluate") == (small_disk / "out.answers").exists()


@pytest.fixture
def slow_command(world, tmp_path):
    """`corpus build` on DNA enough for some seconds, in a process of its own, caught while it writes."""
    genome = (world / "genome.fa").read_text()
    letters = "".join(line for line in genome.splitlines() if not line.startswith(">"))
    (tmp_path / "large.fa").write_text(
        "".join(f">c{i}\n{''.join(random.Random(i).sample(letters, len(letters)))}\n" for i in range(200))
    )
    command = [
        "corpus",
        "build",
        "--dna",
        str(tmp_path / "large.fa"),
        "--output",
        str(tmp_path / "out"),
        "--dna_share",
        "0",
    ]

    def start(*options):
        whole = [sys.executable, "-m", "dnahlm", *command, *options]
        process = subprocess.Popen(whole, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        pieces = part_of(tmp_path / "out") / "shard" / "texts.jsonl"
        for _ in range(6000):
            if process.poll() is not None or (pieces.is_file() and pieces.stat().st_size):
                break
            time.sleep(0.01)
        assert process.poll() is None, f"ended before it could be stopped: {process.stderr.read()}"
        return process

    return command, start


def test_a_kill_leaves_the_earlier_output_and_the_next_run_says_what_to_do(slow_command, tmp_path, capsys):
    command, start = slow_command
    process = start()
    process.kill()
    process.wait()
    assert not (tmp_path / "out").exists() and part_of(tmp_path / "out").is_dir()
    with pytest.raises(SystemExit):
        main(command)
    said = capsys.readouterr().err
    assert "out.part: the unfinished output of a run that was stopped" in said and "Pass --overwrite" in said
    with staged_folder(tmp_path / "out", overwrite=True) as part:
        (part / "manifest.json").write_text("{}")
    before = snapshot(tmp_path / "out")
    process = start("--overwrite")
    process.kill()
    process.wait()
    assert snapshot(tmp_path / "out") == before
    main([*command, "--overwrite"])
    assert json.loads((tmp_path / "out/manifest.json").read_text())["stage"] == "corpus build"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large.fa", "out"]


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_behind(slow_command, tmp_path):
    _, start = slow_command
    process = start()
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert process.stderr.read().splitlines()[-1] == "stopped: earlier outputs are unchanged"
    assert [path.name for path in tmp_path.iterdir()] == ["large.fa"]


def test_a_kill_between_the_two_renames_loses_nothing(tmp_path):
    output = tmp_path / "out"
    old_of(output).mkdir()
    (old_of(output) / "manifest.json").write_text("earlier")
    part_of(output).mkdir()
    with pytest.raises(ValueError, match="already there"), staged_folder(output):
        pass
    assert (output / "manifest.json").read_text() == "earlier"
    with pytest.raises(RuntimeError), staged_folder(output, overwrite=True):
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_temporary_folder_without_room_is_named(no_large_files, monkeypatch, capfd):
    """Readers keep a throw-away cache there; Python calls a full one missing."""
    monkeypatch.setattr(tempfile, "tempdir", None)  # look for one anew
    with capfd.disabled(), pytest.raises(FileNotFoundError) as error:
        no_large_files(0)
        tempfile.gettempdir()
    no_large_files(None)
    assert "set TMPDIR" in machine_message(error.value)
