import hashlib
import json
import math

import pytest

from dnahlm.config import load_yaml
from dnahlm.io import InputError, shipped
from dnahlm.tasks.simulate.run import SimulateConfig, run

TASKS = ("promoter", "splice_site", "coding", "tf_binding")


def hashes(folder):
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.json"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_same_seed_gives_the_same_bytes(organism, tmp_path):
    run(SimulateConfig(output=str(tmp_path / "again"), scale=0.05, seed=3))
    assert hashes(tmp_path / "again") == hashes(organism)


def test_another_seed_gives_another_genome_and_other_rows(organism, tmp_path):
    run(SimulateConfig(output=str(tmp_path / "other"), scale=0.05, seed=4))
    before, after = hashes(organism), hashes(tmp_path / "other")
    same = {name for name in before if before[name] == after.get(name)}
    assert same == {"english/python_docs.txt"}


def test_everything_says_that_it_is_simulated(organism):
    assert "Nothing here comes from a living organism" in (organism / "README.md").read_text()
    assert json.loads((organism / "manifest.json").read_text())["simulated"] is True
    for path in [*organism.rglob("*.fa")]:
        headers = [line for line in path.read_text().splitlines() if line.startswith(">")]
        assert headers and all("simulated=dnahlm" in header for header in headers)


def test_readme_names_the_held_out_chromosomes_and_the_oracle(organism):
    readme = (organism / "README.md").read_text()
    oracle = json.loads((organism / "oracle.json").read_text())
    assert "held_out: chr4, chr5" in readme
    assert all(f"{oracle[task]['mcc']:.3f}" in readme for task in TASKS)


def test_manifest_counts_rows_by_label(organism):
    rows = json.loads((organism / "manifest.json").read_text())["counts"]["rows"]
    for task in TASKS:
        for split, name in (("train", "train"), ("validation", "dev"), ("test", "test")):
            lines = (organism / f"simulated/{task}/{name}.csv").read_text().splitlines()
            assert lines[0] == "sequence,label"
            assert sum(rows[task][split]) == len(lines) - 1


@pytest.mark.parametrize("scale", [-1.0, 0.0, 0.001, 1e9, math.nan, math.inf])
def test_a_scale_that_cannot_be_made_is_refused_before_anything_is_written(tmp_path, scale):
    with pytest.raises(InputError, match=r"scale: found .*allowed is 0\.02 to 20"):
        run(SimulateConfig(output=str(tmp_path / "out"), scale=scale))
    assert not list(tmp_path.iterdir())


def test_the_smallest_scale_fills_every_table(tmp_path):
    manifest = run(SimulateConfig(output=str(tmp_path / "out"), scale=0.02, seed=1))
    for splits in manifest["counts"]["rows"].values():
        assert all(min(labels) >= 2 for labels in splits.values())


def test_a_negative_seed_is_refused(tmp_path):
    with pytest.raises(InputError, match="seed: found -1"):
        run(SimulateConfig(output=str(tmp_path / "out"), seed=-1))


def test_a_taken_output_is_refused_before_the_work_and_kept(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(InputError, match="not empty"):
        run(SimulateConfig(output=str(tmp_path), scale=0.05))
    assert (tmp_path / "mine.txt").read_text() == "keep me"


@pytest.mark.parametrize("task", TASKS)
def test_task_file_fits_the_tables(organism, task):
    spec = load_yaml(shipped("data_templates") / f"tasks/simulated_{task}.yaml")
    assert spec["id"] == f"simulated_{task}" and spec["simulated"] is True
    for file in spec["source"]["files"].values():
        lines = (organism / file).read_text().splitlines()
        assert {line.split(",")[1] for line in lines[1:]} == set(spec["labels"])


@pytest.mark.parametrize("task", TASKS)
def test_task_file_has_enough_phrasings_and_holds_others_out(task):
    spec = load_yaml(shipped("data_templates") / f"tasks/simulated_{task}.yaml")
    train, held_out = spec["phrasings"], spec["held_out_phrasings"]
    assert len(train) >= 8 and len(held_out) >= 3
    assert all(phrasing.count("{options}") == 1 and "\n" not in phrasing for phrasing in train + held_out)
    words = {phrasing: set(phrasing.lower().replace("{options}", "").split()) for phrasing in train + held_out}
    for new in held_out:
        overlap = max(len(words[new] & words[old]) / len(words[new] | words[old]) for old in train)
        assert overlap < 0.5, f"held-out phrasing is a training phrasing in disguise: {new}"
