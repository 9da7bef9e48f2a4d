"""Rows after surgery, one by one, against vectors known in advance."""

import itertools

import pytest
import torch
from published_layouts import BASES
from tokenizers import AddedToken, decoders
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PhiConfig,
    PhiForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from dnahlm.io import InputError
from dnahlm.model.transplant import NOISE, n_ids, origins_of, transplant
from dnahlm.tokenizer.extend import extend
from dnahlm.tokenizer.graft import is_dna

LEARNT = ["".join(p) for k in (2, 3) for p in itertools.product("ACGT", repeat=k)]
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


def gpt2_model(rows):
    torch.manual_seed(0)
    shape = {"n_positions": 32, "n_embd": 16, "n_layer": 1, "n_head": 2}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=rows, bos_token_id=0, eos_token_id=0, **shape))
    with torch.no_grad():  # row i holds the number i, so that any mean is known
        model.transformer.wte.weight.copy_(torch.arange(rows)[:, None].expand(rows, 16))
    return model.eval()


@pytest.fixture(scope="module")
def pair():
    base = BASES["gpt2"]()
    return base, extend(base, LEARNT, 60, 8, "gpt2")


def sub_ids(base, extended, token):
    return base(extended.convert_tokens_to_string([token]), add_special_tokens=False)["input_ids"]


def test_each_row_of_an_extended_gpt2_is_the_old_one_or_the_mean_of_its_sub_tokens(pair):
    base, extended = pair
    model = gpt2_model(len(base))
    old = model.transformer.wte.weight.detach().clone()
    assert transplant(model, base, extended) == {"shared": len(base), "new": 62}
    rows = model.transformer.wte.weight.detach()
    assert rows.shape == (len(extended), 16)
    assert torch.equal(rows[: len(base)], old)
    assert model.lm_head.weight is model.transformer.wte.weight
    dna = {token: number for token, number in extended.get_vocab().items() if is_dna(token)}
    assert len(dna) == 60
    lengths = {len(sub_ids(base, extended, token)) for token in dna}
    assert lengths >= {1, 2}
    noise = []
    for token, number in dna.items():
        noise.append(rows[number] - old[sub_ids(base, extended, token)].mean(0))
    assert torch.stack(noise).std().item() == pytest.approx(NOISE * old.std().item(), rel=0.1)
    assert len(rows.unique(dim=0)) == len(rows)


def test_the_pad_row_and_the_mark_start_in_the_middle_of_all_rows(pair):
    base, extended = pair
    model = gpt2_model(len(base))
    middle = (len(base) - 1) / 2
    transplant(model, base, extended)
    for token in ("<|pad|>", " "):
        row = model.transformer.wte.weight[extended.convert_tokens_to_ids(token)]
        assert row.mean().item() == pytest.approx(middle, abs=NOISE * len(base))


@pytest.mark.parametrize("init", ["mean", "random"])
def test_other_starts_look_at_no_sub_token(pair, init):
    base, extended = pair
    model = gpt2_model(len(base))
    std = model.transformer.wte.weight.std().item()
    transplant(model, base, extended, new_token_init=init)
    new = model.transformer.wte.weight[len(base) :].detach()
    assert new.mean().item() == pytest.approx((len(base) - 1) / 2 if init == "mean" else 0, abs=std / 4)
    assert new.std().item() == pytest.approx(std * (NOISE if init == "mean" else 1), rel=0.1)


def test_the_same_seed_gives_the_same_rows_and_another_one_others(pair):
    base, extended = pair
    rows = []
    for seed in (0, 0, 1):
        model = gpt2_model(len(base))
        transplant(model, base, extended, seed=seed)
        rows.append(model.transformer.wte.weight.detach())
    assert torch.equal(rows[0], rows[1]) and not torch.equal(rows[0], rows[2])


@pytest.mark.parametrize("layout", ["llama2", "llama3"])
def test_an_untied_head_gets_rows_of_its_own(layout):
    base = BASES[layout]()
    extended = extend(base, LEARNT, 40, 8, layout)
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(base), tie_word_embeddings=False, **SMALL))
    before = [w.detach().clone() for w in (model.model.embed_tokens.weight, model.lm_head.weight)]
    transplant(model, base, extended)
    number = extended.convert_tokens_to_ids(" ACG")
    pieces = [p.value for p in base.backend_tokenizer.model.tokenize("ACG")]  # without ▁
    ids = base.convert_tokens_to_ids(pieces)
    for old, now in zip(before, (model.model.embed_tokens.weight, model.lm_head.weight), strict=True):
        assert torch.equal(now[: len(base)], old)
        assert (now[number] - old[ids].mean(0)).abs().max() < 5 * NOISE * old.std()
    assert model.lm_head.out_features == model.config.vocab_size == len(extended)


def test_the_bias_of_a_head_gets_rows_too():
    base = BASES["gpt2"]()
    extended = extend(base, LEARNT, 40, 8, "phi")
    model = PhiForCausalLM(PhiConfig(vocab_size=len(base), **SMALL))
    with torch.no_grad():
        model.lm_head.bias.copy_(torch.arange(len(base)))
    transplant(model, base, extended)
    bias = model.lm_head.bias.detach()
    assert torch.equal(bias[: len(base)], torch.arange(len(base)).float())
    for token in (" AC", " GT", " N"):
        ids = sub_ids(base, extended, token)
        assert bias[extended.convert_tokens_to_ids(token)].item() == pytest.approx(sum(ids) / len(ids))


def test_rows_beyond_the_tokenizer_are_no_tokens_and_not_kept():
    base = BASES["qwen2"]()
    extended = extend(base, LEARNT, 40, 8, "qwen")
    model = Qwen2ForCausalLM(Qwen2Config(vocab_size=len(base) + 100, **SMALL))
    with torch.no_grad():
        model.model.embed_tokens.weight[len(base) :] = 1e6
    transplant(model, base, extended)
    assert model.model.embed_tokens.weight.shape[0] == model.lm_head.weight.shape[0] == len(extended)
    assert model.model.embed_tokens.weight.abs().max() < 100


def test_a_checkpoint_with_fewer_rows_than_its_tokenizer_has_ids_is_refused(pair):
    base, extended = pair
    model = gpt2_model(len(base) - 1)
    with pytest.raises(InputError, match=f"{len(base) - 1} embedding rows, but its tokenizer {len(base)} ids"):
        transplant(model, base, extended)
    assert model.transformer.wte.weight.shape[0] == len(base) - 1


def test_an_unknown_start_is_refused_with_the_known_ones(pair):
    with pytest.raises(InputError, match="Did you mean 'subtoken_mean'"):
        transplant(gpt2_model(len(pair[0])), *pair, new_token_init="subtokenmean")


def test_special_ids_are_set_and_a_renamed_end_keeps_its_row(tmp_path, tiny_tokenizer):
    base = BASES["llama2"]()
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(base), bos_token_id=1, eos_token_id=2, **SMALL))
    old = model.model.embed_tokens.weight.detach().clone()
    transplant(model, base, tiny_tokenizer)
    assert torch.equal(model.model.embed_tokens.weight[tiny_tokenizer.eos_token_id], old[base.eos_token_id])
    model.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        wanted = getattr(tiny_tokenizer, name)
        assert getattr(loaded.config, name) == getattr(loaded.generation_config, name) == wanted
    assert n_ids(tiny_tokenizer) == loaded.config.vocab_size


def test_a_byte_of_one_alphabet_is_not_the_letter_of_another():
    """Ã is the byte C3 to GPT-2, and a letter to Llama."""
    llama, gpt2 = BASES["llama2"](), BASES["gpt2"]()
    llama.add_tokens([AddedToken("Ã")])
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(llama), **SMALL))
    old = model.model.embed_tokens.weight.detach().clone()
    transplant(model, llama, gpt2)
    rows = model.model.embed_tokens.weight
    assert not torch.equal(rows[gpt2.convert_tokens_to_ids("Ã")], old[llama.convert_tokens_to_ids("Ã")])
    assert torch.equal(rows[gpt2.convert_tokens_to_ids("A")], old[llama.convert_tokens_to_ids("A")])


def test_words_of_llama_keep_their_rows_in_a_sentencepiece_vocabulary_that_strips_no_blank():
    """▁the is " the" to both, though Llama's decoder leaves the blank of a first word out."""
    llama = BASES["llama2_normalizer"]()
    ours = BASES["llama2_normalizer"]()
    ours.backend_tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    assert any(token.startswith("▁") for token in llama.get_vocab())
    assert origins_of(llama, ours) == list(range(len(llama)))


def test_a_byte_that_is_no_character_starts_from_the_byte_of_the_other_alphabet():
    llama, gpt2 = BASES["llama2"](), BASES["gpt2"]()
    origins = origins_of(gpt2, llama)
    assert origins[llama.convert_tokens_to_ids("<0xC3>")] == [gpt2.convert_tokens_to_ids("Ã")]
    origins = origins_of(llama, gpt2)
    assert origins[gpt2.convert_tokens_to_ids("Ã")] == [llama.convert_tokens_to_ids("<0xC3>")]
