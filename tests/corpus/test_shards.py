"""Shards and their merge: the corpus of one build, whatever was stopped, repeated or run at once on the way."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dnahlm.corpus.build import CorpusConfig, run
from dnahlm.corpus.merge import CorpusMergeConfig
from dnahlm.corpus.merge import run as merge
from dnahlm.corpus.shard import held, shards_of
from dnahlm.io import InputError

ALL = {"dna": ["*.fa"], "text": ["english.txt", "more.jsonl"], "protein": ["proteins.faa"]}
SCRIPT = Path(__file__).parents[2] / "recipes" / "corpus" / "slurm.sh"


@pytest.fixture
def inputs(raw, tmp_path):
    """The files of `raw`, and a second English one with copies of documents of the first."""
    root = shutil.copytree(raw, tmp_path / "inputs")
    paragraphs = (root / "english.txt").read_text().split("\n\n")
    lines = [f'{{"text": "{paragraph}"}}\n' for paragraph in paragraphs[:60]]
    (root / "more.jsonl").write_text("".join(lines))
    return root


@pytest.fixture
def settings(inputs, tmp_path):
    def of(**changed):
        settings = {"output": str(tmp_path / "out"), "min_piece": 100, "max_piece": 300, "data_root": str(inputs)}
        return CorpusConfig(**{**settings, **ALL, **changed})

    return of


@pytest.fixture
def shards(settings, tmp_path):
    """Build all of n shards; returns the folder that holds them."""

    def build(n, **changed):
        for number in range(n, 0, -1):
            run(settings(shard=f"{number}/{n}", **changed))
        return shards_of(tmp_path / "out")

    return build


def merged(tmp_path):
    return merge(CorpusMergeConfig(str(tmp_path / "out")))


def contents(folder):
    """Every byte of the documents, and the card without the time it was made."""
    parts = {path.relative_to(folder): path.read_bytes() for path in sorted(folder.glob("*/*.parquet"))}
    card = (folder / "README.md").read_text().replace(f"# {folder.name}", "# NAME")
    return parts, re.sub(r"Made \S+", "", card)


@pytest.mark.parametrize("n", [1, 3, 7])
@pytest.mark.parametrize("mix", [{"dna_share": 0}, {"dna_share": 0.6, "max_characters": 60_000}])
def test_the_merge_of_shards_is_the_corpus_of_one_build_to_the_byte(settings, shards, tmp_path, n, mix):
    shards(n, **mix)
    whole = run(settings(output=str(tmp_path / "whole"), **mix))
    joined = merged(tmp_path)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    for name in ("counts", "inputs", "seed", "stage"):
        assert joined[name] == whole[name]
    assert {**joined["config"], "output": ""} == {**whole["config"], "output": ""}


def test_a_complete_shard_is_left_as_it_is(settings, tmp_path, capsys):
    run(settings(shard="1/2"))
    files = {path: path.stat().st_mtime_ns for path in shards_of(tmp_path / "out").glob("1-of-2/*")}
    run(settings(shard="1/2"))
    assert files == {path: path.stat().st_mtime_ns for path in shards_of(tmp_path / "out").glob("1-of-2/*")}
    assert "left as it is" in capsys.readouterr().out


def test_a_complete_shard_with_other_settings_is_refused_and_replaced_when_asked(settings, tmp_path):
    run(settings(shard="1/2"))
    with pytest.raises(InputError, match=r"other settings \(seed: 0, not 1\)\. Pass --overwrite"):
        run(settings(shard="1/2", seed=1))
    run(settings(shard="1/2", seed=1, overwrite=True))
    run(settings(shard="1/2", seed=1))


def test_a_complete_shard_of_files_that_have_changed_is_refused(settings, inputs):
    run(settings(shard="1/1"))
    with (inputs / "english.txt").open("a") as file:
        file.write("\n\nOne more paragraph.\n")
    with pytest.raises(InputError, match="have changed"):
        run(settings(shard="1/1"))


@pytest.mark.parametrize("shard", ["0/4", "5/4", "x", "1/0", "1", "-1/4", "1/4/2", "1.5/4"])
def test_a_bad_shard_says_how_it_is_written(settings, tmp_path, shard):
    with pytest.raises(InputError, match="such as 1/8"):
        run(settings(shard=shard))
    assert not shards_of(tmp_path / "out").exists()


def test_the_merge_names_the_shards_that_are_missing(shards, tmp_path):
    shutil.rmtree(shards(4) / "3-of-4")
    with pytest.raises(InputError, match=r"of 4 shards these are missing or not complete: 3\..*--shard 3/4"):
        merged(tmp_path)
    assert not (tmp_path / "out").exists()


def test_without_shards_the_merge_says_how_they_are_made(tmp_path):
    with pytest.raises(InputError, match="holds no shard"):
        merged(tmp_path)


def test_shards_of_two_numbers_are_refused(settings, shards, tmp_path):
    shards(2)
    run(settings(shard="1/3"))
    with pytest.raises(InputError, match="shards of 2 and of 3"):
        merged(tmp_path)


def test_shards_of_other_settings_are_refused(settings, tmp_path):
    run(settings(shard="1/2"))
    run(settings(shard="2/2", min_piece=120))
    with pytest.raises(InputError, match=r"2-of-2: is not of one corpus with 1-of-2 \(min_piece: 100, not 120\)"):
        merged(tmp_path)


def test_shards_of_other_files_are_refused(settings, inputs, tmp_path):
    run(settings(shard="1/2"))
    (inputs / "late.fa").write_text(">late\n" + "ACGT" * 100 + "\n")
    run(settings(shard="2/2"))
    with pytest.raises(InputError, match=r"is not of one corpus with 1-of-2 \(sources_of_the_corpus"):
        merged(tmp_path)


@pytest.mark.parametrize("name", ["texts.jsonl", "rows.bin", "bands.bin", "manifest.json"])
def test_a_damaged_shard_is_refused(shards, tmp_path, name):
    path = shards(2) / "2-of-2" / name
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match=f"2-of-2.{name}"):
        merged(tmp_path)


def test_more_shards_than_files_leave_some_empty_which_is_said(shards, tmp_path, capsys):
    shards(9)
    assert "there are 5 files and 9 shards, so this one is empty" in capsys.readouterr().out
    assert merged(tmp_path)["counts"]["train"]["dna"]["documents"]


def test_a_name_that_no_shard_has_is_found_by_the_merge(shards, tmp_path):
    shards(2, held_out_records=["chr3", "only"])
    merged(tmp_path)
    for folder in (tmp_path / "out", shards_of(tmp_path / "out")):
        shutil.rmtree(folder)
    shards(2, held_out_records=["chr33"])
    with pytest.raises(InputError, match="no DNA file has a record 'chr33'"):
        merged(tmp_path)


def test_the_unfinished_shard_of_a_killed_run_is_begun_again(settings, tmp_path):
    part = shards_of(tmp_path / "out") / "1-of-1.part"
    part.mkdir(parents=True)
    (part / "texts.jsonl").write_text("half a li")
    run(settings(shard="1/1"))
    assert not part.exists()


def test_a_shard_that_another_process_writes_is_refused(settings, tmp_path):
    folder = shards_of(tmp_path / "out")
    folder.mkdir()
    with held(folder / "1-of-1"), pytest.raises(InputError, match="another process writes this shard"):
        run(settings(shard="1/1"))
    run(settings(shard="1/1"))


def command(config, *more):
    """The command line of a shard, in a process of its own."""
    given = ["--data_root", config.data_root, "--output", config.output, "--min_piece", "100", "--max_piece", "300"]
    files = [word for kind in ALL for word in (f"--{kind}", *ALL[kind])]
    return [sys.executable, "-m", "dnahlm", "corpus", "build", *given, *files, *more]


@pytest.mark.slow
def test_a_shard_killed_at_any_moment_is_made_by_the_same_command(settings, inputs, tmp_path):
    (inputs / "large.fa").write_text(">large\n" + (inputs / "single.fa").read_text()[6:].strip() * 200 + "\n")
    config = settings()
    part = shards_of(tmp_path / "out") / "1-of-1.part"
    for size in (1, 400_000, 2_000_000):
        process = subprocess.Popen(command(config, "--shard", "1/1"), stdout=subprocess.DEVNULL)
        texts = part / "texts.jsonl"
        while process.poll() is None and not (texts.exists() and texts.stat().st_size > size):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert part.exists()
    subprocess.run(command(config, "--shard", "1/1"), check=True)
    run(settings(output=str(tmp_path / "whole")))
    merged(tmp_path)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.slow
def test_the_tasks_of_a_slurm_array_at_once_give_the_corpus_of_one_build(settings, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f"data_root: {tmp_path / 'inputs'}\ndna: ['*.fa']\ntext: [english.txt, more.jsonl]\nprotein: [proteins.faa]\n"
        "min_piece: 100\nmax_piece: 300\n"
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    tasks = [
        subprocess.Popen(
            ["bash", str(SCRIPT), str(recipe), "--output", str(tmp_path / "out")],
            env={**os.environ, "PATH": path, "SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_MAX": "4"},
        )
        for number in (1, 2, 3, 4)
    ]
    assert [task.wait() for task in tasks] == [0, 0, 0, 0]
    run(settings(output=str(tmp_path / "whole")))
    merged(tmp_path)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
