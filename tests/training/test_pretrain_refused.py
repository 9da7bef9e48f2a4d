"""Checkpoints and disks that pretraining cannot use."""

import io
import json
import shutil
import subprocess
from contextlib import redirect_stderr

import pytest
from safetensors.torch import load_file, save_file

from dnahlm.io import InputError, clear_errors
from dnahlm.model.create import ModelArguments
from dnahlm.model.load import load_checkpoint
from dnahlm.tokenizer.load import read_tokenizer
from dnahlm.training.checkpoints import last_checkpoint
from dnahlm.training.pretrain import PretrainArguments, PretrainDataArguments, run

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def arguments(output, **more):
    settings = {"max_steps": 2, "per_device_train_batch_size": 4, "logging_steps": 1, "disable_tqdm": True}
    settings |= {"precision": "fp32", "save_strategy": "no", "use_cpu": True, **more}
    return PretrainArguments(output_dir=str(output), **settings)


@pytest.fixture
def checkpoint(blocks, tmp_path):
    """A pretrained folder to damage."""
    run(PretrainDataArguments(blocks=str(blocks)), ModelArguments(**SMALL), arguments(tmp_path / "start"))
    return tmp_path / "start"


def cut_rows(folder, n_rows):
    weights = load_file(folder / "model.safetensors")
    name = "transformer.wte.weight"
    save_file(weights | {name: weights[name][:n_rows].clone()}, folder / "model.safetensors", {"format": "pt"})


def test_a_checkpoint_whose_config_names_more_rows_than_its_weights_hold_is_refused(checkpoint, blocks, tmp_path):
    cut_rows(checkpoint, 100)
    with pytest.raises(
        InputError, match=r"describes transformer.wte.weight as \(\d+, 32\), but the weights hold \(100, 32\)"
    ):
        run(
            PretrainDataArguments(blocks=str(blocks)),
            ModelArguments(model_name_or_path=str(checkpoint)),
            arguments(tmp_path / "out"),
        )
    assert not list(tmp_path.glob("out*"))


def test_a_checkpoint_whose_tokenizer_has_more_ids_than_it_has_rows_is_refused(checkpoint, blocks, tmp_path):
    cut_rows(checkpoint, 100)
    config = json.loads((checkpoint / "config.json").read_text())
    (checkpoint / "config.json").write_text(json.dumps(config | {"vocab_size": 100}))
    with pytest.raises(InputError, match=r"the tokenizer has \d+ tokens but the model 100 embedding rows"):
        run(
            PretrainDataArguments(blocks=str(blocks)),
            ModelArguments(model_name_or_path=str(checkpoint)),
            arguments(tmp_path / "out"),
        )
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("open_it", [load_checkpoint, read_tokenizer])
def test_a_hub_name_that_cannot_be_fetched_is_told_how_to_become_a_folder(open_it, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(
        InputError, match=r"`hf download NAME --local-dir FOLDER`.*copy the folder here and give its path"
    ):
        open_it("nobody/no-such-model")


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for one checkpoint of the small model and a half."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a small tmpfs here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_fills_up_keeps_the_last_whole_checkpoint_and_is_named(small_disk, blocks):
    data, model_args = PretrainDataArguments(blocks=str(blocks)), ModelArguments(**SMALL)
    settings = {"max_steps": 6, "save_strategy": "steps", "save_steps": 2}
    said = io.StringIO()
    with redirect_stderr(said), pytest.raises(SystemExit) as stop, clear_errors():
        run(data, model_args, arguments(small_disk / "out", **settings))
    assert stop.value.code == 2 and "ake room" in said.getvalue()
    good = last_checkpoint(small_disk / "out.part")
    assert good is not None and good.name == "checkpoint-2"
    assert [path.name for path in (small_disk / "out.part").glob("checkpoint-*")] == ["checkpoint-2"]
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    made = run(data, model_args, arguments(small_disk / "out", resume_from_checkpoint="true", **settings))
    assert made["counts"]["steps"] == 6
