"""A published checkpoint and an extended tokenizer become one checkpoint; English costs what it cost."""

import json
import shutil

import pytest
import torch
from published_layouts import BASES, TEXT
from small_world import WORDS
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    GPT2Config,
    GPT2LMHeadModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from dnahlm.io import InputError
from dnahlm.manifest import read_manifest
from dnahlm.model.english import bits_per_byte, sample
from dnahlm.model.fit import FitConfig, run
from dnahlm.tokenizer.extend import ExtendConfig
from dnahlm.tokenizer.extend import run as extend
from dnahlm.tokenizer.load import token_ids


def write_checkpoint(folder, base, rows=None, model_type="gpt2"):
    """A checkpoint in a published layout, with large weights so that a changed row would be seen."""
    torch.manual_seed(0)
    if model_type == "gpt2":
        shape = {"n_positions": 32, "n_embd": 16, "n_layer": 1, "n_head": 2, "initializer_range": 0.5}
        model = GPT2LMHeadModel(GPT2Config(vocab_size=rows or len(base), bos_token_id=0, eos_token_id=0, **shape))
    else:
        shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
        model = Qwen2ForCausalLM(
            Qwen2Config(vocab_size=rows or len(base), num_key_value_heads=2, max_position_embeddings=32, **shape)
        )
    model.save_pretrained(folder)
    base.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    import random

    from dnahlm.corpus.build import CorpusConfig
    from dnahlm.corpus.build import run as build

    root, rng = tmp_path_factory.mktemp("raw"), random.Random(5)
    (root / "genome.fa").write_text("".join(f">r{i}\n{''.join(rng.choices('ACGT', k=4000))}\n" for i in range(6)))
    (root / "english.txt").write_text("\n\n".join(" ".join(rng.choices(WORDS, k=60)) for _ in range(100)))
    build(
        CorpusConfig(
            output=str(root / "corpus"), data_root=str(root), dna=["genome.fa"], text=["english.txt"],
            validation_share=0.2,
        )
    )  # fmt: skip
    return root / "corpus"


@pytest.fixture(scope="module")
def world(tmp_path_factory, corpus):
    """A folder with the checkpoint `gpt2` and the tokenizer `extended` made from it."""
    root = tmp_path_factory.mktemp("fit")
    write_checkpoint(root / "gpt2", BASES["gpt2"]())
    extend(ExtendConfig(base=str(root / "gpt2"), corpus=str(corpus), output=str(root / "extended"), dna_tokens=100))
    return root


def config(world, output, **settings):
    names = {"model_name_or_path": "gpt2", "tokenizer": "extended", **settings}
    return FitConfig(**{k: str(world / v) if k in ("model_name_or_path", "tokenizer") else v for k, v in names.items()},
                     output=str(output))  # fmt: skip


def test_english_costs_among_the_old_tokens_what_it_cost_and_both_losses_are_recorded(world, corpus, tmp_path, capsys):
    manifest = run(config(world, tmp_path / "out", corpus=str(corpus)))
    english = manifest["start"]["english"]
    assert english["bits_per_byte_after_among_old_tokens"] == pytest.approx(english["bits_per_byte_before"], rel=1e-6)
    assert english["bits_per_byte_after"] > english["bits_per_byte_before"], "new tokens take some probability"
    assert read_manifest(tmp_path / "out", "model fit")["start"]["english"] == english
    out = capsys.readouterr().out
    assert f"{english['bits_per_byte_before']:.4f} bits per byte before" in out and "100 new" not in out
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert model.config.vocab_size == len(tokenizer) == manifest["start"]["embedding_rows"]["new"] + 408
    assert model.generation_config.pad_token_id == tokenizer.pad_token_id


def test_the_logits_of_old_tokens_are_those_of_the_old_checkpoint(world, tmp_path):
    run(config(world, tmp_path / "out"))
    before, after = (AutoModelForCausalLM.from_pretrained(p).eval() for p in (world / "gpt2", tmp_path / "out"))
    ids = torch.tensor([BASES["gpt2"]()(TEXT[1])["input_ids"][:30]])
    with torch.no_grad():
        assert torch.equal(after(input_ids=ids).logits[..., : before.config.vocab_size], before(input_ids=ids).logits)


def test_a_longer_context_is_made_in_the_same_step(world, corpus, tmp_path):
    manifest = run(config(world, tmp_path / "out", context=64, longer_context="copy", corpus=str(corpus)))
    assert manifest["start"]["context"] == 64
    english = manifest["start"]["english"]
    assert english["bits_per_byte_after_among_old_tokens"] == pytest.approx(english["bits_per_byte_before"], rel=1e-6)
    assert json.loads((tmp_path / "out/config.json").read_text())["n_positions"] == 64
    with pytest.raises(InputError, match="give longer_context"):
        run(config(world, tmp_path / "other", context=64))
    assert not (tmp_path / "other").exists()


def test_the_length_the_tokenizer_names_grows_with_the_context(world, tmp_path):
    extended = AutoTokenizer.from_pretrained(world / "extended")
    extended.model_max_length = 32
    extended.save_pretrained(tmp_path / "tok")
    run(FitConfig(model_name_or_path=str(world / "gpt2"), tokenizer=str(tmp_path / "tok"), output=str(tmp_path / "out"),
                  context=64, longer_context="interpolate"))  # fmt: skip
    assert AutoTokenizer.from_pretrained(tmp_path / "out").model_max_length == 64


@pytest.mark.parametrize("context", [0, -5, 31])
def test_a_context_shorter_than_the_checkpoints_is_refused_not_ignored(world, tmp_path, context):
    with pytest.raises(InputError, match=rf"context: {context} tokens, but .* sees 32 already"):
        run(config(world, tmp_path / "out", context=context))
    assert not (tmp_path / "out").exists()


def test_beside_a_qwen2_checkpoint_auto_tokenizer_still_cuts_dna_out(corpus, tmp_path):
    base = BASES["qwen2"]()
    write_checkpoint(tmp_path / "qwen", base, len(base) + 90, "qwen2")
    extend(ExtendConfig(base=str(tmp_path / "qwen"), corpus=str(corpus), output=str(tmp_path / "tok"), dna_tokens=40))
    run(FitConfig(model_name_or_path=str(tmp_path / "qwen"), tokenizer=str(tmp_path / "tok"),
                  output=str(tmp_path / "out")))  # fmt: skip
    wanted, found = (AutoTokenizer.from_pretrained(tmp_path / name) for name in ("tok", "out"))
    text = "Is ACGTTGCAACGT\na gene?"
    assert token_ids(found, [text]) == token_ids(wanted, [text]) != token_ids(base, [text])
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").config.vocab_size == len(wanted)


def test_a_tokenizer_extended_from_another_one_is_refused(world, tmp_path):
    write_checkpoint(tmp_path / "other", BASES["llama3"]())
    with pytest.raises(InputError, match="extended from another tokenizer than that of"):
        run(config(world, tmp_path / "out", model_name_or_path=str(tmp_path / "other")))
    assert not (tmp_path / "out").exists()


def test_a_tokenizer_that_is_not_its_manifests_is_refused(world, tmp_path):
    made = tmp_path / "tokenizer"
    shutil.copytree(config(world, tmp_path / "out").tokenizer, made)
    state = json.loads((made / "tokenizer.json").read_text())
    added = 1 + max(token["id"] for token in state["added_tokens"])
    state["added_tokens"].append({**state["added_tokens"][0], "content": "<|new|>", "id": added})
    (made / "tokenizer.json").write_text(json.dumps(state))
    with pytest.raises(InputError, match=r"tokenizer.json is not the one that its manifest.json names"):
        run(config(world, tmp_path / "out", tokenizer=str(made)))
    assert not (tmp_path / "out").exists()


def test_a_context_that_no_machine_holds_is_refused(world, tmp_path):
    with pytest.raises(InputError, match="context: 1,000,000,000,000 tokens; must be at most 1,048,576"):
        run(config(world, tmp_path / "out", context=10**12, longer_context="copy"))
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_whose_embedding_is_too_small_is_refused(world, tmp_path):
    write_checkpoint(tmp_path / "small", BASES["gpt2"](), rows=300)
    with pytest.raises(InputError, match=r"small: the tokenizer has 408 tokens but the model 300 embedding rows"):
        run(config(world, tmp_path / "out", model_name_or_path=str(tmp_path / "small")))
    assert not (tmp_path / "out").exists()


def test_a_generation_config_that_says_how_to_sample_but_not_that_is_written_back(world, tmp_path):
    folder = tmp_path / "gpt2"
    shutil.copytree(world / "gpt2", folder)
    (folder / "generation_config.json").write_text('{"temperature": 0.9, "top_p": 0.6}')
    run(config(world, tmp_path / "out", model_name_or_path=str(folder)))
    written = GenerationConfig.from_pretrained(tmp_path / "out")
    assert (written.temperature, written.top_p, written.do_sample) == (0.9, 0.6, True)


def test_bits_per_byte_are_those_of_the_models_own_loss(world):
    model = AutoModelForCausalLM.from_pretrained(world / "gpt2").eval()
    tokenizer = AutoTokenizer.from_pretrained(world / "gpt2")
    text = "The gene is read."
    ids = torch.tensor([[tokenizer.eos_token_id, *token_ids(tokenizer, [text])[0]]])
    with torch.no_grad():
        nats = model(input_ids=ids, labels=ids).loss.item() * (ids.shape[1] - 1)
    found = bits_per_byte(model, tokenizer, [text], len(tokenizer), 32)
    assert found["all_tokens"] == found["old_tokens"] == pytest.approx(nats / 0.6931472 / len(text), rel=1e-5)


def test_the_sample_of_english_skips_what_is_empty():
    assert sample(["", "ab", "", "cd", "ef"], 3) == ["ab", "cd"]
