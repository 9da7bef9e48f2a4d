import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dnahlm.io import InputError
from dnahlm.readers.hub import read_hub

NEEDED = ["sequence", "label"]


@pytest.fixture(autouse=True)
def offline_with_its_own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "layout"
    folder.mkdir()
    (folder / "train.csv").write_text("sequence,label,task\nACGT,0,a\nGGT,1,b\n")
    (folder / "test.csv").write_text("sequence,label,task\nTTT,1,a\n")
    return folder


def message(*args, **kwargs):
    with pytest.raises(InputError) as error:
        list(read_hub(*args, **kwargs))
    return str(error.value)


def test_the_splits_of_a_folder_in_hub_layout_are_read(folder):
    found = list(read_hub(str(folder), None, "train", NEEDED))
    assert [tuple(row.values.values()) for row in found] == [("ACGT", "0"), ("GGT", "1")]
    assert [row.where for row in found] == [f"{folder} train:row 1", f"{folder} train:row 2"]
    assert len(list(read_hub(str(folder), None, "test", NEEDED))) == 1


def test_a_configuration_of_parquet_files_is_read_by_its_name(tmp_path):
    root = tmp_path / "sets"
    root.mkdir()
    names = ["one", "two"]
    for i, name in enumerate(names):
        (root / name).mkdir()
        pq.write_table(pa.table({"sequence": ["ACGT"], "label": [i]}), root / name / "train-00000-of-00001.parquet")
    configs = "".join(f"- config_name: {name}\n  data_files: {name}/train-*.parquet\n" for name in names)
    (root / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    (row,) = read_hub(str(root), "two", "train", NEEDED)
    assert row.values["label"] == "1"
    assert "'three'" in message(str(root), "three", "train", NEEDED)
    assert "two" in message(str(root), None, "train", NEEDED)  # which one must be said


def test_a_folder_whose_table_was_corrected_is_read_anew(folder):
    card = "".join(f"  - split: {split}\n    path: {split}.csv\n" for split in ("train", "test"))
    (folder / "README.md").write_text(f"---\nconfigs:\n- config_name: all\n  data_files:\n{card}---\n")
    assert len(list(read_hub(str(folder), "all", "train", NEEDED))) == 2
    (folder / "train.csv").write_text("sequence,label,task\nACGA,1,a\n")
    (row,) = read_hub(str(folder), "all", "train", NEEDED)
    assert row.values == {"sequence": "ACGA", "label": "1"}


def test_class_labels_stay_the_numbers_they_are(tmp_path):
    features = datasets.Features(
        {"sequence": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])}
    )
    data = datasets.Dataset.from_dict({"sequence": ["AC", "GT"], "label": [1, 0]}, features=features)
    (tmp_path / "f").mkdir()
    data.to_parquet(str(tmp_path / "f/train.parquet"))
    assert [row.values["label"] for row in read_hub(str(tmp_path / "f"), None, "train", NEEDED)] == ["1", "0"]


def test_filter_keeps_rows_and_their_numbers(folder):
    (row,) = read_hub(str(folder), None, "train", NEEDED, {"task": "b"})
    assert (row.values, row.where) == ({"sequence": "GGT", "label": "1"}, f"{folder} train:row 2")
    assert "no row has task = 'c'" in message(str(folder), None, "train", NEEDED, {"task": "c"})


def test_offline_is_an_error_that_says_how_to_go_on(tmp_path):
    said = message("no_such/data_set", None, "train", NEEDED)
    assert "could not be loaded" in said
    assert "hf download no_such/data_set --repo-type dataset --local-dir" in said


def test_a_missing_split_column_or_value_is_an_error(folder):
    assert "Unknown split" in message(str(folder), None, "validation", NEEDED)
    assert "no column 'seq'; found: 'sequence', 'label', 'task'" in message(str(folder), None, "train", ["seq"])
    (folder / "train.csv").write_text("sequence,label,task\nACGT,0,a\n,1,b\n")
    assert "train:row 2: column 'sequence' is empty" in message(str(folder), None, "train", NEEDED)


def test_a_data_set_that_needs_its_own_script_is_not_run(tmp_path):
    root = tmp_path / "scripted"
    root.mkdir()
    (root / "scripted.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert "could not be loaded" in message(str(root), None, "train", NEEDED)
    assert not (tmp_path / "ran").exists()
