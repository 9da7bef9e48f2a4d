import json

import pytest

from dnahlm.io import InputError
from dnahlm.manifest import StageClock, is_current, read_manifest, write_manifest


def make(folder, stage, inputs):
    folder.mkdir(exist_ok=True)
    return write_manifest(folder, stage, {"seed": 3}, StageClock(), inputs, {"rows": 1})


def test_the_chain_of_inputs_is_carried_along(tmp_path):
    (tmp_path / "x.txt").write_text("x")
    make(tmp_path / "a", "first", {"text": tmp_path / "x.txt"})
    make(tmp_path / "b", "second", {"a": tmp_path / "a"})
    chain = read_manifest(tmp_path / "b", "second")["inputs"]["a"]["manifest"]
    assert chain["stage"] == "first" and len(chain["inputs"]["text"]["sha256"]) == 64


def test_an_output_is_out_of_date_once_its_input_was_made_again(tmp_path):
    make(tmp_path / "a", "first", {})
    make(tmp_path / "b", "second", {"a": tmp_path / "a"})
    assert is_current(tmp_path / "b")
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    (tmp_path / "a" / "manifest.json").write_text(json.dumps({**manifest, "created": "later"}))
    assert not is_current(tmp_path / "b")


def test_the_folder_of_another_stage_is_refused(tmp_path):
    make(tmp_path / "a", "first", {})
    with pytest.raises(InputError, match="output of 'first'"):
        read_manifest(tmp_path / "a", "second")


def test_a_missing_folder_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(InputError, match="dnahlm corpus build"):
        read_manifest(tmp_path / "none", "corpus build")


def test_a_folder_without_a_manifest_is_not_a_finished_output(tmp_path):
    with pytest.raises(InputError, match="not a finished output"):
        read_manifest(tmp_path, "corpus build")
