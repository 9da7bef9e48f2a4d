"""`dnahlm report compare` on folders computed from real arrays."""

import json
import re
import shutil

import numpy as np
import pyarrow.parquet
import pytest
from report_folder import THREE, write_evaluation
from sklearn.metrics import matthews_corrcoef

from dnahlm.cli import main
from dnahlm.evaluation.compare.run import CompareConfig, run
from dnahlm.io import InputError

TASKS = {"core_promoter": {"n": 300}, "splice_site": {"n": 200, "answers": THREE}}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Evaluations: one weak model, one strong model of the same rows, both in one folder."""
    root = tmp_path_factory.mktemp("evaluations")
    write_evaluation(root / "weak", **{k: v | {"signal": 0.5, "seed": 1} for k, v in TASKS.items()})
    write_evaluation(root / "strong", **{k: v | {"signal": 3.0, "seed": 2} for k, v in TASKS.items()})
    write_evaluation(root / "two", models=2, **TASKS)
    return root


def compare(*folders, **more):
    return run(CompareConfig(evaluations=[str(f) for f in folders], n_bootstrap=300, **more))


def rewrite(path, change):
    table = pyarrow.parquet.read_table(path)
    pyarrow.parquet.write_table(change(table), path)


@pytest.fixture
def copied(folders, tmp_path):
    """A copy of the strong one to damage."""
    shutil.copytree(folders / "strong", tmp_path / "copy")
    return tmp_path / "copy"


def test_a_better_model_is_found_and_the_difference_is_that_of_the_rows(folders):
    result = compare(folders / "weak", folders / "strong")
    for task in result["tasks"]:
        a, b = (
            pyarrow.parquet.read_table(folders / side / f"predictions/m1/{task['task']}.parquet").to_pydict()
            for side in ("weak", "strong")
        )
        one, two = (matthews_corrcoef(t["answer"], t["predicted_scored"]) for t in (a, b))
        assert task["difference"] == pytest.approx(two - one)
        assert task["interval"][0] < task["difference"] < task["interval"][1]
        right = [[p == r for p, r in zip(t["predicted_scored"], t["answer"], strict=True)] for t in (a, b)]
        assert task["only_b_right"] - task["only_a_right"] == sum(right[1]) - sum(right[0])
        assert task["verdict"] == "B is right more often"
    turned = compare(folders / "strong", folders / "weak")
    assert {task["verdict"] for task in turned["tasks"]} == {"A is right more often"}


def test_rows_are_joined_by_id_whatever_their_order(folders, copied):
    shuffled = np.random.default_rng(0).permutation(300)
    rewrite(copied / "predictions/m1/core_promoter.parquet", lambda table: table.take(shuffled))
    plain, mixed = (compare(folders / "weak", b)["tasks"][0] for b in (folders / "strong", copied))
    assert plain == mixed


def test_two_models_of_one_folder_and_two_ways_of_one_model(folders, capsys):
    both = compare(folders / "two")
    assert [both[side]["name"] for side in "ab"] == ["m1", "m2"]
    ways = compare(folders / "two", models=["m1"], ways=["no_dna", "scored"])
    assert ways["tasks"][0]["verdict"] == "B is right more often"
    assert "no_dna" in capsys.readouterr().out


def test_holm_corrects_for_the_number_of_tasks(folders):
    result = compare(folders / "two", models=["m1", "m2"])
    p = sorted((task["p"], task["p_holm"]) for task in result["tasks"])
    assert p[0][1] == pytest.approx(min(1.0, 2 * p[0][0]))
    assert p[1][1] == pytest.approx(max(p[0][1], p[1][0]))


def test_output_holds_both_forms_with_hashes_command_and_every_cell(folders, tmp_path, capsys):
    out = tmp_path / "cmp"
    main(
        [
            "report",
            "compare",
            str(folders / "weak"),
            str(folders / "strong"),
            "--output",
            str(out),
            "--n_bootstrap",
            "200",
        ]
    )
    shown = capsys.readouterr().out
    assert {p.name for p in out.iterdir()} == {"compare.json", "compare.md", "compare.html", "manifest.json"}
    result = json.loads((out / "compare.json").read_text())
    for name in ("compare.md", "compare.html"):
        text = re.sub(r"<[^>]+>", "", (out / name).read_text())
        for cell in re.split(r"  +", shown.splitlines()[3].strip()):
            assert cell.replace("<", "&lt;") in text or cell in text
        assert result["command"] in text
        assert result["a"]["sha256"][:16] in text
    page = (out / "compare.html").read_text()
    assert "<script" not in page and "http" not in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.set_column(0, "id", [[f"{i}x" for i in t["id"].to_pylist()]]), "300 of 300 are only in the first"),
        (
            lambda t: t.set_column(t.column_names.index("input"), "input", [["ACGT", *t["input"].to_pylist()[1:]]]),
            "1 rows have the same id and another sequence, the first is 'core_promoter-test-0'",
        ),
    ],
    ids=["ids", "sequences"],
)
def test_other_rows_are_refused_naming_what_differs(folders, copied, tmp_path, change, message):
    rewrite(copied / "predictions/m1/core_promoter.parquet", change)
    with pytest.raises(InputError, match=message):
        compare(folders / "weak", copied, output=str(tmp_path / "cmp"))
    assert not (tmp_path / "cmp").exists()


def test_fewer_rows_are_refused(folders, tmp_path):
    write_evaluation(tmp_path / "few", core_promoter={"n": 120})
    with pytest.raises(InputError, match="180 of 300 are only in the first"):
        compare(folders / "weak", tmp_path / "few")


def test_predictions_of_another_checkpoint_are_refused(folders, copied):
    shutil.copy(folders / "weak/predictions/m1/core_promoter.parquet", copied / "predictions/m1/core_promoter.parquet")
    with pytest.raises(InputError, match="another checkpoint"):
        compare(folders / "weak", copied)


def test_a_way_without_its_column_is_refused(folders, copied):
    rewrite(copied / "predictions/m1/core_promoter.parquet", lambda table: table.drop_columns(["predicted_no_dna"]))
    with pytest.raises(InputError, match="no column predicted_no_dna"):
        compare(folders / "weak", copied, ways=["no_dna"])


def test_a_report_of_an_older_layout_is_refused(folders, copied):
    report = json.loads((copied / "report.json").read_text())
    report["model"] = report.pop("models")[0]
    (copied / "report.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match=r"report\.json: written by an older dnahlm"):
        compare(folders / "weak", copied)
    report["models"] = [{"path": "x"}]
    (copied / "report.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match="an entry of `models` has no name or path"):
        compare(folders / "weak", copied)
    (copied / "report.json").write_text("{")
    with pytest.raises(InputError, match="not valid JSON"):
        compare(folders / "weak", copied)


def test_a_task_only_one_side_has_is_named_and_the_others_are_compared(folders, tmp_path):
    write_evaluation(tmp_path / "more", core_promoter={"n": 300}, enhancer={"n": 50})
    result = compare(folders / "weak", tmp_path / "more")
    assert [task["task"] for task in result["tasks"]] == ["core_promoter"]
    assert set(result["not_compared"]) == {"splice_site", "enhancer"}
    write_evaluation(tmp_path / "none", enhancer={"n": 50})
    with pytest.raises(InputError, match="no task can be compared"):
        compare(folders / "weak", tmp_path / "none")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give two folders"),
        (["weak", "strong", "two"], "found 3"),
        (["weak"], "holds 1 models"),
        (["weak", "weak"], "both sides are"),
        (["weak", "nowhere"], "no such folder"),
        (["weak", "two"], "holds 2 models .* --models"),
        (["two", "--models", "m1", "m7"], "no model 'm7'"),
        (["weak", "strong", "--ways", "score"], "Did you mean 'scored'"),
        (["weak", "strong", "--n_bootstrap", "5"], "at least 100"),
        (["weak", "strong", "--models", "m1", "m1", "m1"], "3 --models"),
    ],
)
def test_what_cannot_be_compared_is_said(folders, words, message):
    config = {"evaluations": [], "models": [], "ways": ["scored"], "n_bootstrap": 300}
    key = "evaluations"
    for word in words:
        if word.startswith("--"):
            key = word[2:]
            config[key] = []
        elif key == "n_bootstrap":
            config[key] = int(word)
        else:
            config[key].append(str(folders / word) if key == "evaluations" else word)
    with pytest.raises(InputError, match=message):
        run(CompareConfig(**config))
