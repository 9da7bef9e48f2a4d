"""An evaluation that was stopped keeps what was answered and goes on; answers of another model are never taken."""

import itertools
import json
import shutil
from dataclasses import replace

import pyarrow.parquet
import pytest
from toy_tasks import TASKS, write_suite

from dnahlm.evaluation import asking
from dnahlm.evaluation.kept import answers_of
from dnahlm.evaluation.protocol import EvaluateConfig, run
from dnahlm.inference.scorer import score
from dnahlm.io import InputError, part_of


@pytest.fixture
def config(folders, tmp_path):
    suite = write_suite(tmp_path, max_rows=6, baselines=["majority"], n_bootstrap=20)
    return EvaluateConfig(str(folders[0] / "sft"), str(tmp_path / "eval"), suite, str(folders[0] / "instructions"))


@pytest.fixture
def dies_after(monkeypatch):
    """Make the run die when it scores a way more than n times, as Ctrl-C would; returns the list of what was scored."""

    def arm(n):
        calls, scored = itertools.count(1), []

        def scores(*arguments, progress=None):
            if n is not None and next(calls) > n:
                raise KeyboardInterrupt
            scored.append(progress)
            return score(*arguments)

        monkeypatch.setattr(asking, "score", scores)
        return scored

    return arm


def rows(folder):
    return {task: pyarrow.parquet.read_table(folder / f"predictions/m1/{task}.parquet").to_pydict() for task in TASKS}


def figures(folder):
    return json.loads((folder / "report.json").read_text())["tasks"]


def test_a_stopped_evaluation_asks_only_what_was_not_answered_and_gives_the_same(config, tmp_path, dies_after, capsys):
    whole = replace(config, output=str(tmp_path / "whole"))
    assert dies_after(None) == []
    run(whole)
    dies_after(3)  # two ways of the first task, one of the second
    with pytest.raises(KeyboardInterrupt):
        run(config)
    assert "eval.answers: 5 answered ways are kept; the same command with --resume" in capsys.readouterr().err
    assert not (tmp_path / "eval").exists() and not part_of(tmp_path / "eval").exists()
    with pytest.raises(InputError, match=r"eval\.answers: .*Pass --resume .*--overwrite"):
        run(config)
    asked = dies_after(None)
    run(replace(config, resume=True))
    assert asked == ["toy_splice, held_out"]
    assert figures(tmp_path / "eval") == figures(tmp_path / "whole") and rows(tmp_path / "eval") == rows(
        tmp_path / "whole"
    )
    assert not answers_of(tmp_path / "eval").exists()


def test_a_kill_leaves_an_unfinished_folder_that_resume_goes_on_from(config, tmp_path, dies_after):
    dies_after(1)
    with pytest.raises(KeyboardInterrupt):
        run(config)
    part_of(tmp_path / "eval").mkdir()  # a killed process clears nothing up
    asked = dies_after(None)
    run(replace(config, resume=True))
    assert len(asked) == 3 and (tmp_path / "eval/report.json").is_file()


def test_answers_of_another_model_are_not_taken(config, folders, tiny_model, tmp_path, dies_after):
    config = replace(config, model=[str(shutil.copytree(folders[0] / "sft", tmp_path / "sft"))])
    dies_after(3)
    with pytest.raises(KeyboardInterrupt):
        run(config)
    tiny_model.save_pretrained(tmp_path / "sft")
    asked = dies_after(None)
    run(replace(config, resume=True))
    assert len(asked) == 4


def test_overwrite_discards_the_answers_and_a_run_without_any_leaves_nothing(config, tmp_path, dies_after):
    dies_after(0)
    with pytest.raises(KeyboardInterrupt):
        run(config)
    assert not list(tmp_path.glob("eval*"))
    dies_after(2)
    with pytest.raises(KeyboardInterrupt):
        run(config)
    with pytest.raises(InputError, match="give one of the two"):
        run(replace(config, resume=True, overwrite=True))
    asked = dies_after(None)
    run(replace(config, overwrite=True))
    assert len(asked) == 4 and sorted(p.name for p in tmp_path.glob("eval*")) == ["eval"]
