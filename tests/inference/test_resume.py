"""A stopped `predict` keeps its rows and goes on; rows of another run are never continued."""

import copy
import itertools
import random
import re
import resource
import shutil
from dataclasses import replace

import pytest

from dnahlm.inference import predict
from dnahlm.inference.predict import PredictConfig, run
from dnahlm.io import InputError


def write_fasta(path, lengths):
    rng = random.Random(0)
    path.write_text("".join(f">seq{i}\n{''.join(rng.choices('ACGT', k=n))}\n" for i, n in enumerate(lengths)))
    return str(path)


@pytest.fixture
def stopped_after(monkeypatch):
    """Make the next run die while it answers its n-th chunk, as Ctrl-C would; returns how to undo that."""

    def arm(n):
        chunks, original = itertools.count(1), predict.answer_chunk

        def dies(*arguments):
            if next(chunks) > n:
                raise KeyboardInterrupt
            return original(*arguments)

        monkeypatch.setattr(predict, "answer_chunk", dies)
        return lambda: monkeypatch.setattr(predict, "answer_chunk", original)

    monkeypatch.setattr(predict, "CHUNK", 4)
    return arm


def test_a_stopped_run_goes_on_behind_its_last_rows(tuned_folder, tmp_path, stopped_after, capsys):
    path = write_fasta(tmp_path / "x.fa", range(30, 48))
    whole = PredictConfig(str(tuned_folder), "splice_site", path, str(tmp_path / "whole.csv"))
    run(whole)
    told = capsys.readouterr().out
    config = replace(whole, output=str(tmp_path / "o.csv"))
    disarm = stopped_after(2)
    with pytest.raises(KeyboardInterrupt):
        run(config)
    disarm()
    assert "8 rows are kept" in capsys.readouterr().err and not (tmp_path / "o.csv").exists()
    with pytest.raises(InputError, match=r"o\.csv\.part: 8 answered rows .* --resume"):
        run(config)
    with (tmp_path / "o.csv.part").open("a") as handle:
        handle.write("half a ro")  # what a kill in the middle of writing leaves
    counted = run(replace(config, resume=True))
    resumed = capsys.readouterr().out
    assert "8 of them by an earlier run" in resumed and counted["rows"] == 18
    assert re.search(r"answered 18 sequences \((.*?; )", told).group(1) in resumed
    assert (tmp_path / "o.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o.csv", "whole.csv", "x.fa"]


@pytest.mark.parametrize("change", ["model", "input", "task", "options"])
def test_rows_of_another_run_are_not_continued(tuned_folder, tuned_model, tmp_path, stopped_after, change):
    path = write_fasta(tmp_path / "x.fa", range(30, 42))
    folder = shutil.copytree(tuned_folder, tmp_path / "sft")
    config = PredictConfig(str(folder), "splice_site", path, str(tmp_path / "o.csv"))
    disarm = stopped_after(1)
    with pytest.raises(KeyboardInterrupt):
        run(config)
    disarm()
    if change == "model":
        other = copy.deepcopy(tuned_model)
        other.transformer.h[0].mlp.c_fc.weight.data[3, 3] += 1
        other.save_pretrained(folder)
    if change == "input":
        write_fasta(tmp_path / "x.fa", range(31, 43))
    changed = {"task": {"task": "core_promoter"}, "options": {"min_confidence": 0.9}}.get(change, {})
    config = replace(config, resume=True, **changed)
    kept = (tmp_path / "o.csv.part").read_bytes()
    with pytest.raises(InputError, match=f"begun with another .*{change}.*--overwrite"):
        run(config)
    assert (tmp_path / "o.csv.part").read_bytes() == kept
    run(replace(config, resume=False, overwrite=True))
    assert not list(tmp_path.glob("*.part*"))


def test_a_stop_before_the_first_rows_leaves_nothing(tuned_folder, tmp_path, stopped_after):
    stopped_after(0)
    path = write_fasta(tmp_path / "x.fa", [30])
    with pytest.raises(KeyboardInterrupt):
        run(PredictConfig(str(tuned_folder), "splice_site", path, str(tmp_path / "o.csv")))
    assert [p.name for p in tmp_path.iterdir()] == ["x.fa"]


def test_resume_without_an_unfinished_output_starts_and_with_overwrite_is_refused(tuned_folder, tmp_path):
    path = write_fasta(tmp_path / "x.fa", [30, 40])
    config = PredictConfig(str(tuned_folder), "splice_site", path, str(tmp_path / "o.csv"), resume=True)
    with pytest.raises(InputError, match="give one of the two"):
        run(replace(config, overwrite=True))
    assert run(config)["rows"] == 2


def test_a_disk_that_fills_up_after_some_rows_keeps_those_and_the_run_goes_on(
    tuned_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(predict, "CHUNK", 20)
    path = write_fasta(tmp_path / "x.fa", range(30, 110))
    config = PredictConfig(str(tuned_folder), "splice_site", path, str(tmp_path / "o.csv"))
    run(replace(config, output=str(tmp_path / "whole.csv")))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "whole.csv").stat().st_size - 100, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            run(config)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "60 rows are kept" in capsys.readouterr().err
    run(replace(config, resume=True))
    assert (tmp_path / "o.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
