"""Outputs in the way, rights that are missing, and what a real process leaves behind."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from small_world import DNA, predict, put, stages

from dnahlm.cli import main

OUTPUTS = {
    "not empty": ("full", (), "full: already there and not empty.*--overwrite"),
    "what no stage wrote": ("full", ("--overwrite",), "no manifest.json, so no stage wrote it"),
    "a file": ("full/thesis.txt", ("--overwrite",), "is no folder"),
    "inside a file": ("full/thesis.txt/out", (), "Not a directory"),
    "its own input": ("world/corpus", ("--overwrite",), "is also the input .*world/corpus"),
    "a folder that holds its input": ("world", ("--overwrite",), "is also the input .*world/corpus"),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_an_output_that_would_cost_something_is_refused(case, world, tmp_path, refused):
    name, options, message = OUTPUTS[case]
    put(tmp_path / "full/thesis.txt", "years of work")
    for part in ("corpus", "tokenizer"):
        shutil.copytree(world / part, tmp_path / "world" / part)
    said = refused(*stages(tmp_path / "world")["pack"], "--output", tmp_path / name, *options)
    assert re.search(message, said)


def test_predict_replaces_neither_its_input_nor_a_folder_nor_a_device(world, tmp_path, refused):
    source = put(tmp_path / "x.fa", f">a\n{DNA}\n")
    os.mkfifo(tmp_path / "pipe")
    for output, message in (
        (source, "is also the input"),
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "a device or a pipe"),
    ):
        assert message in refused(*predict(world, source, output, "--overwrite"))


def test_an_output_behind_a_link_is_replaced_where_it_lies(world, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    for _ in range(2):
        main([*stages(world)["tokenizer"], "--output", str(tmp_path / "out"), "--overwrite"])
    assert (tmp_path / "out").is_symlink() and (tmp_path / "disk/tokenizer.json").is_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["disk", "out"]


@pytest.fixture
def unprivileged():
    """Give up root's right to read and write everything, for the time of a test; yields a folder open to all."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    as_root = os.geteuid() == 0
    yield folder, (lambda: os.seteuid(65534)) if as_root else (lambda: None)
    if as_root:
        os.seteuid(0)
    for path in (folder, *folder.rglob("*")):
        path.chmod(stat.S_IRWXU)
    shutil.rmtree(folder)


def test_what_may_not_be_read_or_written_is_named(world, unprivileged, capsys):
    folder, give_up_rights = unprivileged
    main([*stages(world)["tokenizer"], "--output", str(folder / "warm")])  # imports need rights of their own
    corpus = shutil.copytree(world / "corpus", folder / "corpus")
    recipe = put(folder / "secret.yaml", "corpus: x\n")
    table = put(folder / "secret.txt", "English.")
    (folder / "shut").mkdir()
    (folder / "shut").chmod(0o555)
    for path in (recipe, table, corpus / "manifest.json"):
        path.chmod(0)
    give_up_rights()
    for args, name in (
        (["tokenizer", "train", "--config", recipe], "secret.yaml"),
        (["corpus", "build", "--text", table, "--output", folder / "out"], "secret.txt"),
        (["tokenizer", "train", "--corpus", corpus, "--output", folder / "out"], "manifest.json"),
        (["corpus", "build", "--text", folder / "secret.txt", "--output", folder / "shut/out"], "shut/out"),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(list(map(str, args)))
        assert stop.value.code == 2
        assert re.search(f"error: .*{name}.*: Permission denied", capsys.readouterr().err)
    assert not (folder / "out").exists() and not (folder / "out.part").exists()


def test_a_real_process_ends_with_status_2_and_no_traceback(world, tmp_path):
    bad = put(tmp_path / "x.fa", ">a\nACGT\n>a\nACGT\n")
    args = ["corpus", "build", "--dna", str(bad), "--output", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-m", "dnahlm", *args], capture_output=True, text=True)
    assert done.returncode == 2 and not done.stdout
    assert re.fullmatch(r"error: \S+x\.fa:3: record id 'a' was already used on line 1\. .*\n", done.stderr)


def test_a_reader_of_the_output_that_has_gone_is_no_crash():
    process = subprocess.Popen(
        [sys.executable, "-m", "dnahlm", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.wait() == 141 and not process.stderr.read()
