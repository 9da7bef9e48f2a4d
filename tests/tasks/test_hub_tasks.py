"""Every task of a hub data set, read from a local folder in that data set's layout, through the same code."""

from dataclasses import replace

import pytest
from task_tables import write_hub_csv, write_hub_parquet

from dnahlm.tasks.spec import load_task, shipped_tasks
from dnahlm.tasks.table import read_task_table

HUB = {name: spec for name in shipped_tasks() if (spec := load_task(name)).source.hub}
QUICK = ["core_promoter", "gb_human_ensembl_regulatory", "nt_splice_sites_all"]  # one per layout; the others are slow


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    """owner/name -> folder in its layout."""
    folders = {}
    for name in {spec.source.hub for spec in HUB.values()}:
        specs = [spec for spec in HUB.values() if spec.source.hub == name]
        folders[name] = tmp_path_factory.mktemp(name.rpartition("/")[2])
        (write_hub_csv if specs[0].source.config else write_hub_parquet)(folders[name], specs)
    return folders


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in HUB]
)
def test_a_hub_task_reads_its_data_set_without_an_edit(name, hub, tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    spec = HUB[name]
    local = replace(spec, source=replace(spec.source, hub=str(hub[spec.source.hub])))
    table = read_task_table(local, tmp_path)
    n_given = 3 if spec.source.config else 60
    for split, rows in table.rows.items():
        assert {row.label for row in rows} == set(spec.labels)
        assert not spec.window.bases or {len(row.sequence) for row in rows} == {spec.window.bases}
        if split in spec.source.hub_splits and not (split == "train" and spec.source.hold_out):
            assert len(rows) == n_given * len(spec.labels)


def test_all_28_tasks_of_gue_are_there():
    configs = [spec.source.config for spec in HUB.values() if spec.source.hub.endswith("/GUE")]
    assert len(configs) == len(set(configs)) == 28


def test_all_18_tasks_of_the_nucleotide_transformer_are_there():
    names = [spec.source.filter["task"] for spec in HUB.values() if spec.source.hub.startswith("InstaDeepAI/")]
    assert len(names) == len(set(names)) == 18


def test_all_9_genomic_benchmarks_are_there():
    assert len({s.source.hub for s in HUB.values() if "Genomic_Benchmarks_" in s.source.hub}) == 9
