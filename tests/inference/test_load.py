import copy
import json
import random
import shutil

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model

from dnahlm.inference.calibrate import Calibration
from dnahlm.inference.generator import generate
from dnahlm.inference.load import load
from dnahlm.inference.scorer import score
from dnahlm.io import InputError


@pytest.fixture
def copy_of(tuned_folder, tmp_path):
    return shutil.copytree(tuned_folder, tmp_path / "copy")


def logits(model):
    with torch.no_grad():
        return model(torch.arange(20)[None]).logits


def test_a_tuned_folder_brings_its_tasks_facts_and_calibration(loaded, tuned_model):
    assert set(loaded.tasks) == {"core_promoter", "splice_site"}
    assert loaded.task_facts["core_promoter"]["max_bases"] == 70
    assert loaded.calibration == {"core_promoter": Calibration(2.0, (0.3, -0.3))}
    assert loaded.manifest is None
    assert loaded.model.dtype == torch.float32 and not loaded.model.training
    torch.testing.assert_close(logits(loaded.model.cpu()), logits(tuned_model))


def test_a_bare_checkpoint_loads_without_tasks(copy_of):
    shutil.rmtree(copy_of / "tasks")
    for name in ("tasks.json", "calibration.json"):
        (copy_of / name).unlink()
    bare = load(copy_of)
    assert (bare.tasks, bare.task_facts, bare.calibration) == ({}, {}, {})


def test_a_half_precision_checkpoint_answers_in_float32(copy_of, tuned_model):
    copy.deepcopy(tuned_model).bfloat16().save_pretrained(copy_of)
    assert load(copy_of).model.dtype == torch.float32


def test_an_adapter_folder_is_folded_into_its_base(copy_of, tmp_path, tuned_model, tiny_tokenizer):
    model = get_peft_model(
        copy.deepcopy(tuned_model),
        LoraConfig(r=2, target_modules="all-linear", fan_in_fan_out=True, task_type="CAUSAL_LM"),
    )
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    model.peft_config["default"].base_model_name_or_path = str(copy_of)
    model.save_pretrained(tmp_path / "adapter")
    tiny_tokenizer.save_pretrained(tmp_path / "adapter")
    merged = load(tmp_path / "adapter").model.cpu()
    assert type(merged) is type(tuned_model)
    torch.testing.assert_close(logits(merged), logits(model.eval()))
    assert not torch.allclose(logits(merged), logits(tuned_model), atol=1e-3)

    shutil.rmtree(copy_of)
    with pytest.raises(InputError, match="base_model_name_or_path"):
        load(tmp_path / "adapter")


def test_a_missing_folder_says_what_to_give(tmp_path):
    with pytest.raises(InputError, match=r"no such folder.*runs/tiny/sft"):
        load(tmp_path / "nothing")


def test_a_hub_name_out_of_reach_says_how_to_give_a_folder():
    with pytest.raises(InputError, match=r"nobody/no-such-model.*[Gg]ive (a|the) folder"):
        load("nobody/no-such-model")


def test_a_run_folder_points_to_the_checkpoint_inside(tuned_folder, tmp_path):
    shutil.copytree(tuned_folder, tmp_path / "run/sft")
    with pytest.raises(InputError, match=r"no config.json.*Did you mean .*run/sft"):
        load(tmp_path / "run")


def test_a_checkpoint_without_weights_is_refused(copy_of):
    (copy_of / "model.safetensors").unlink()
    with pytest.raises(InputError, match="has no weights"):
        load(copy_of)


def test_weights_cut_short_are_refused(copy_of):
    weights = copy_of / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    with pytest.raises(InputError, match="cannot be loaded"):
        load(copy_of)


def test_weights_that_do_not_fill_the_model_are_refused_not_made_up(copy_of):
    config = json.loads((copy_of / "config.json").read_text())
    (copy_of / "config.json").write_text(json.dumps(config | {"n_layer": 3}))
    with pytest.raises(InputError, match=r"lack \d+ tensors .*transformer\.h\.2"):
        load(copy_of)


def test_a_checkpoint_without_a_tokenizer_is_refused(copy_of):
    for path in copy_of.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(InputError, match="without a tokenizer"):
        load(copy_of)


def test_a_tokenizer_larger_than_the_model_is_refused(copy_of):
    config = json.loads((copy_of / "tokenizer.json").read_text())
    last = max(config["model"]["vocab"].values())
    extra = {f"zz{i}": last + 1 + i for i in range(3)}
    config["model"]["vocab"] |= extra
    (copy_of / "tokenizer.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="515 tokens but the model 512 embedding rows"):
        load(copy_of)


def test_a_tokenizer_other_than_the_one_in_the_manifest_is_refused(copy_of):
    (copy_of / "manifest.json").write_text(json.dumps({"stage": "sft", "tokenizer_sha256": "0" * 64}))
    with pytest.raises(InputError, match="not the one the model was trained with"):
        load(copy_of)


def test_a_chat_template_other_than_the_one_in_the_manifest_is_refused(copy_of):
    (copy_of / "manifest.json").write_text(json.dumps({"stage": "sft", "chat_template_sha256": "0" * 64}))
    with pytest.raises(InputError, match="chat template is not the one the model was tuned with"):
        load(copy_of)


def test_a_damaged_calibration_file_is_named(copy_of):
    (copy_of / "calibration.json").write_text("{")
    with pytest.raises(InputError, match=r"calibration\.json: not valid JSON"):
        load(copy_of)


def test_bf16_answers_like_float32_and_keeps_the_output_matrix_exact(tuned_folder, loaded, tiny_tokenizer):
    half = load(tuned_folder, precision="bf16")
    assert half.model.dtype == torch.bfloat16 and half.model.get_output_embeddings().weight.dtype == torch.float32
    assert torch.equal(half.model.get_output_embeddings().weight, loaded.model.get_output_embeddings().weight)
    rng = random.Random(0)
    prompts = [f"Is it?\n\n{''.join(rng.choices('ACGT', k=80))}\n\n### Response:\n" for _ in range(300)]
    exact, rounded = (score(m.model, tiny_tokenizer, prompts, ["promoter", "donor"]) for m in (loaded, half))
    assert 0 < np.abs(exact - rounded).mean() < 0.05
    margin = np.abs(exact[:, 0] - exact[:, 1])
    same = exact.argmax(axis=1) == rounded.argmax(axis=1)
    assert same[margin > 0.1].all() and same.mean() > 0.9
    assert generate(half.model, tiny_tokenizer, prompts[:2], 4)  # the cast of the output matrix holds there too


def test_a_loaded_model_scores_what_the_plain_model_scores_and_still_has_gradients(loaded, tuned_model, tiny_tokenizer):
    prompts = ["Is it?\n\nACGTACGTACGTAA\n\n### Response:\n", "Or?\n\nGATTACA\n\n### Response:\n"]
    plain = score(tuned_model, tiny_tokenizer, prompts, ["promoter", "neither of them"])
    np.testing.assert_allclose(
        score(loaded.model, tiny_tokenizer, prompts, ["promoter", "neither of them"]), plain, atol=1e-4
    )
    embedded = loaded.model.get_input_embeddings()(torch.arange(20)[None]).detach().requires_grad_()
    loaded.model(inputs_embeds=embedded).logits.sum().backward()
    assert embedded.grad.abs().sum() > 0


def test_an_unknown_precision_is_refused(tuned_folder):
    with pytest.raises(InputError, match="allowed: fp32, bf16"):
        load(tuned_folder, precision="fp16")
