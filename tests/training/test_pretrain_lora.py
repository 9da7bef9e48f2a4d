"""Continued pretraining with LoRA: what is trained, saved, resumed, merged and refused."""

import importlib.util
import shutil

import pytest
import torch
from published_layouts import BASES
from transformers import LlamaConfig, LlamaForCausalLM

from dnahlm.io import InputError
from dnahlm.model.adapters import AdapterArguments, quantization
from dnahlm.model.create import ModelArguments
from dnahlm.model.load import load_adapter, load_checkpoint
from dnahlm.model.merge import MergeConfig
from dnahlm.model.merge import run as merge
from dnahlm.training.pretrain import PretrainArguments, PretrainDataArguments, run

LORA = AdapterArguments(use_peft=True, lora_r=4, lora_dropout=0.0, train_new_tokens=True)


@pytest.fixture(scope="module")
def fitted(corpus, tmp_path_factory):
    """A tiny Llama with rows for DNA tokens, and blocks for it; `published` beside it is not fitted."""
    from dnahlm.corpus import pack
    from dnahlm.model import fit
    from dnahlm.tokenizer import extend

    root, base = tmp_path_factory.mktemp("llama"), BASES["llama2"]()
    torch.manual_seed(0)
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(base), max_position_embeddings=64, **shape))
    model.save_pretrained(root / "published")
    base.save_pretrained(root / "published")
    paths = {name: str(root / name) for name in ("published", "tok", "start", "blocks")}
    extend.run(extend.ExtendConfig(base=paths["published"], corpus=str(corpus), output=paths["tok"], dna_tokens=60))
    fit.run(fit.FitConfig(model_name_or_path=paths["published"], tokenizer=paths["tok"], output=paths["start"]))
    pack.run(pack.PackConfig(corpus=str(corpus), tokenizer=paths["tok"], output=paths["blocks"], block_size=64))
    return root


def arguments(output, **more):
    settings = {"max_steps": 4, "per_device_train_batch_size": 4, "learning_rate": 0.01, "logging_steps": 1}
    settings |= {"disable_tqdm": True, "precision": "fp32", "save_strategy": "no", "use_cpu": True, **more}
    return PretrainArguments(output_dir=str(output), **settings)


def pretrain(fitted, output, adapter=LORA, start="start", **more):
    model_args = ModelArguments(model_name_or_path=str(fitted / start) if start else None)
    return run(PretrainDataArguments(blocks=str(fitted / "blocks")), model_args, arguments(output, **more), adapter)


def test_an_adapter_and_the_new_rows_are_trained_and_nothing_else(fitted, tmp_path):
    made = pretrain(fitted, tmp_path / "out")
    before, after = load_checkpoint(str(fitted / "start")), load_adapter(tmp_path / "out")
    first_new = made["counts"]["parameters"] and len(BASES["llama2"]())
    for side in ("get_input_embeddings", "get_output_embeddings"):
        changed = (getattr(before, side)().weight != getattr(after, side)().weight).any(dim=1).nonzero().flatten()
        assert len(changed) and changed.min() >= first_new
    layer = "model.layers.0.mlp.up_proj.weight"
    assert not torch.equal(before.state_dict()[layer], after.state_dict()[layer])
    assert torch.equal(before.state_dict()["model.norm.weight"], after.state_dict()["model.norm.weight"])
    assert made["validation"]["bits_per_base"] < made["validation_before"]["bits_per_base"]


def test_recomputed_activations_give_the_same_adapter(fitted, tmp_path):
    plain = pretrain(fitted, tmp_path / "plain")
    less_memory = pretrain(fitted, tmp_path / "less", activation_checkpointing=True)
    assert less_memory["validation"] == pytest.approx(plain["validation"], abs=1e-5)


def test_a_merged_adapter_is_an_ordinary_checkpoint_with_the_same_logits(fitted, tmp_path, capsys):
    pretrain(fitted, tmp_path / "out")
    merge(MergeConfig(adapter=str(tmp_path / "out"), output=str(tmp_path / "merged")))
    ids = torch.arange(20)[None]
    with torch.no_grad():
        folded, whole = (m(ids).logits for m in (load_adapter(tmp_path / "out"), load_checkpoint(f"{tmp_path}/merged")))
    assert torch.allclose(folded, whole, atol=1e-5)
    assert not list((tmp_path / "merged").glob("adapter_*"))
    assert "folded into its base" in (tmp_path / "merged/README.md").read_text()


def test_an_interrupted_adapter_run_resumes_to_the_same_figures(fitted, tmp_path, monkeypatch):
    from dnahlm.training.callbacks import LossLog

    more = {"save_strategy": "steps", "save_steps": 2}
    whole = pretrain(fitted, tmp_path / "whole", **more)

    def stop(self, args, state, control, **kwargs):
        if state.global_step == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LossLog, "on_step_end", stop)
        with pytest.raises(KeyboardInterrupt):
            pretrain(fitted, tmp_path / "cut", **more)
    again = pretrain(fitted, tmp_path / "cut", resume_from_checkpoint="true", **more)
    assert again["validation"] == whole["validation"]
    assert again["forgetting"] == whole["forgetting"]


def test_an_adapter_on_a_checkpoint_that_was_not_fitted_is_refused(fitted, tmp_path):
    with pytest.raises(InputError, match="Fit it first: `dnahlm model fit`"):
        pretrain(fitted, tmp_path / "out", start="published")
    with pytest.raises(InputError, match="LoRA adapts a checkpoint"):
        pretrain(fitted, tmp_path / "out", start=None)
    assert not list(tmp_path.iterdir())


def test_an_adapter_is_no_start_for_training_until_it_is_merged(fitted, tmp_path):
    pretrain(fitted, tmp_path / "out")
    with pytest.raises(InputError, match="Fold it into its base first: `dnahlm model merge --adapter"):
        load_checkpoint(str(tmp_path / "out"))
    with pytest.raises(InputError, match="is no LoRA adapter"):
        merge(MergeConfig(adapter=str(fitted / "start"), output=str(tmp_path / "merged")))


def test_an_adapter_whose_base_was_replaced_is_refused(fitted, tmp_path):
    shutil.copytree(fitted, tmp_path / "copy")
    pretrain(tmp_path / "copy", tmp_path / "out")
    manifest = tmp_path / "copy/start/manifest.json"
    manifest.write_text(manifest.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(InputError, match="was trained on another checkpoint than"):
        load_adapter(tmp_path / "out")


def test_an_adapter_for_a_base_of_another_shape_is_refused(fitted, tmp_path, tiny_model, tiny_tokenizer):
    pretrain(fitted, tmp_path / "out")
    for part in (tiny_model, tiny_tokenizer):
        part.save_pretrained(tmp_path / "other")
    config = tmp_path / "out/adapter_config.json"
    config.write_text(config.read_text().replace(str(fitted / "start"), str(tmp_path / "other")))
    (tmp_path / "out/manifest.json").unlink()  # else that tells
    with pytest.raises(InputError, match="cannot be loaded"):
        load_adapter(tmp_path / "out")


def test_four_bits_without_lora_or_without_a_gpu_are_refused(fitted, tmp_path):
    with pytest.raises(InputError, match="set use_peft too"):
        quantization(AdapterArguments(load_in_4bit=True), bf16=False)
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="needs a CUDA GPU"):
            pretrain(fitted, tmp_path / "out", adapter=AdapterArguments(use_peft=True, load_in_4bit=True))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None or not torch.cuda.is_available(),
    reason="needs bitsandbytes and a CUDA GPU",
)
def test_qlora_trains_an_adapter_on_four_bits_that_opens_on_the_whole_base(fitted, tmp_path):
    four = AdapterArguments(use_peft=True, lora_r=4, lora_dropout=0.0, train_new_tokens=True, load_in_4bit=True)
    made = pretrain(fitted, tmp_path / "out", adapter=four, use_cpu=False)
    assert made["validation"]["bits_per_base"] < made["validation_before"]["bits_per_base"]
    load_adapter(tmp_path / "out")
