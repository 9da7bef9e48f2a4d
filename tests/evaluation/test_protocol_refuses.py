"""What an evaluation refuses, before anything is written."""

import json
import shutil

import pytest
from toy_tasks import write_suite

from dnahlm.evaluation.protocol import EvaluateConfig, run
from dnahlm.io import InputError


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "test_held_out.jsonl").write_text((f / "test.jsonl").read_text().split("\n", 1)[1]), "lacks row 'toy_promoter-test-0'"),
        (lambda f: (f / "test.jsonl").write_text((f / "test.jsonl").read_text().replace("-test-7\"", "-test-8\"")), "1 ids are there more than once, the first is 'toy_promoter-test-8'"),
        (lambda f: (f / "manifest.json").unlink(), "not a finished output of `dnahlm instructions build`"),
        (lambda f: shutil.rmtree(f), "instructions"),
    ],
)  # fmt: skip
def test_unusable_instructions_are_refused_before_any_output(folders, tmp_path, spoil, message):
    root = folders[0]
    shutil.copytree(root / "instructions", tmp_path / "instructions")
    spoil(tmp_path / "instructions")
    with pytest.raises(InputError, match=message):
        run(EvaluateConfig(str(root / "sft"), str(tmp_path / "eval"), instructions=str(tmp_path / "instructions")))
    assert not (tmp_path / "eval").exists()


def test_an_answer_the_task_does_not_allow_is_named(folders, tmp_path):
    root = folders[0]
    shutil.copytree(root / "instructions", tmp_path / "instructions")
    test = tmp_path / "instructions" / "test.jsonl"
    test.write_text(test.read_text().replace('"output": "donor"', '"output": "giver"'))
    with pytest.raises(InputError, match="the answer 'giver' is not one of task 'toy_splice'"):
        run(EvaluateConfig(str(root / "sft"), str(tmp_path / "eval"), instructions=str(tmp_path / "instructions")))


def test_a_row_longer_than_the_context_is_named(folders, tmp_path):
    root = folders[0]
    shutil.copytree(root / "instructions", tmp_path / "instructions")
    for path in (tmp_path / "instructions" / f"{name}.jsonl" for name in ("test", "test_held_out")):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        rows[4]["input"] *= 60
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite = write_suite(tmp_path, baselines=[])
    with pytest.raises(InputError, match=r"toy_promoter, scored: row 'toy_promoter-test-4', prompt 5 of .* 256 tokens"):
        run(EvaluateConfig(str(root / "sft"), str(tmp_path / "eval"), suite, str(tmp_path / "instructions")))
    assert not list(tmp_path.glob("eval*"))


def test_a_suite_naming_a_task_without_rows_is_refused_with_a_hint(folders, tmp_path):
    suite = write_suite(tmp_path, tasks=["toy_splise"])
    with pytest.raises(
        InputError, match=r"suite\.yaml:3: task 'toy_splise' has no rows in .* Did you mean 'toy_splice'"
    ):
        run(EvaluateConfig(str(folders[0] / "sft"), str(tmp_path / "eval"), suite))


def test_instructions_that_moved_are_asked_for(folders, tmp_path):
    shutil.copytree(folders[0] / "sft", tmp_path / "sft")
    path = tmp_path / "sft" / "manifest.json"
    path.write_text(path.read_text().replace(str(folders[0] / "instructions"), "/nowhere/instructions"))
    with pytest.raises(InputError, match=r"/nowhere/instructions: .* Pass --instructions"):
        run(EvaluateConfig(str(tmp_path / "sft"), str(tmp_path / "eval")))


def test_a_taken_output_is_refused_before_the_model_is_opened(tmp_path):
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "report.html").write_text("earlier")
    with pytest.raises(InputError, match="already there"):
        run(EvaluateConfig("no-such-model", str(tmp_path / "eval")))
    assert (tmp_path / "eval" / "report.html").read_text() == "earlier"
