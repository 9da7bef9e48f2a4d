import random

import numpy as np
import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModelForCausalLM

from dnahlm.inference import batches, scorer
from dnahlm.inference.rows import plain_scores
from dnahlm.inference.scorer import BRANCHING_MODELS, CONTINUING_MODELS, layout_for, probabilities, score
from dnahlm.io import InputError
from dnahlm.tasks.prompt import render_prompt

# One label a prefix of another, a shared first word, one and many tokens.
OPTIONS = ["promoter", "non-promoter", "pro", "neither", "a long answer of several words"]
ONCE = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def random_model(model_type, tokenizer, attention="sdpa", context=512):
    """A tiny model with large weights, so that a wrong position or a leaking neighbour shows in every number."""
    config = AutoConfig.for_model(
        model_type,
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=context,
        initializer_range=0.3,
        bos_token_id=0,
        eos_token_id=0,
    )
    small = {"intermediate_size": 64, "num_key_value_heads": 2, "head_dim": 16}
    small |= {"layer_types": ["conv", "full_attention"]} if model_type == "lfm2" else {}
    for name, value in small.items():
        if hasattr(config, name):
            setattr(config, name, value)
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation=attention).eval()


def prompts_of(tokenizer, lengths, seed=0):
    rng = random.Random(seed)
    question = "Is this DNA sequence a promoter? Answer with promoter or non-promoter."
    return [render_prompt(tokenizer, question, "".join(rng.choices("ACGT", k=n))) for n in lengths]


def naive(model, tokenizer, prompt, option):
    """The whole text alone in one row: nothing padded, nothing shared."""
    start = len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    ids = [*tokenizer(prompt + option, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    with torch.no_grad():
        log_p = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return sum(log_p[at - 1, ids[at]].item() for at in range(start, len(ids)))


def naive_all(model, tokenizer, prompts, options):
    return np.array([[naive(model, tokenizer, prompt, option) for option in options] for prompt in prompts])


def quick(*names):
    """Every model type is held to the exact numbers; the default run takes one of each layout."""
    return [name if name in ("gpt2", "lfm2") else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("model_type", quick(*BRANCHING_MODELS, *CONTINUING_MODELS, "gpt_neox"))
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_scores_equal_the_naive_full_sequence_log_probability(tiny_tokenizer, model_type, attention):
    model = random_model(model_type, tiny_tokenizer, attention)
    how = {"gpt_neox": "plain", "lfm2": "continued"}.get(model_type, "branches")
    assert layout_for(model) == how
    prompts = prompts_of(tiny_tokenizer, [1, 200, 70, 71, 9, 70])
    expected = naive_all(model, tiny_tokenizer, prompts, OPTIONS)
    assert np.abs(expected).min() > 1  # the comparison is about numbers of a size
    for batch_tokens in (1, 300, 8192):
        np.testing.assert_allclose(score(model, tiny_tokenizer, prompts, OPTIONS, batch_tokens), expected, atol=1e-4)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_sliding_window_shorter_than_the_prompt_is_scored_exactly(tiny_tokenizer, attention):
    model = random_model("mistral", tiny_tokenizer, attention)
    prompts = prompts_of(tiny_tokenizer, [200, 70, 71, 200])
    unlimited = naive_all(model, tiny_tokenizer, prompts, OPTIONS[:2])
    model.config.sliding_window = 16
    expected = naive_all(model, tiny_tokenizer, prompts, OPTIONS[:2])
    assert np.abs(unlimited - expected).min() > 1e-2
    np.testing.assert_allclose(score(model, tiny_tokenizer, prompts, OPTIONS[:2]), expected, atol=1e-4)


def test_prompts_without_a_common_beginning_and_equal_prompts_are_scored_exactly(tiny_tokenizer, tiny_model):
    prompts = ["promoter", "Is this?", "Is this?", "ACGTACGTACGT neither", "donor\n"]
    expected = naive_all(tiny_model, tiny_tokenizer, prompts, ["\npro", "\nneither of them"])
    np.testing.assert_allclose(
        score(tiny_model, tiny_tokenizer, prompts, ["\npro", "\nneither of them"]), expected, atol=1e-4
    )


def test_several_wordings_are_scored_exactly_and_each_beginning_is_computed_once(tiny_tokenizer, tiny_model):
    rng = random.Random(3)
    wordings = [
        "Is it a promoter, or is it a non-promoter? Say which.",
        "Donor or acceptor? Answer with one word only.",
    ]
    prompts = [render_prompt(tiny_tokenizer, wordings[i % 2], "".join(rng.choices("ACGT", k=60))) for i in range(60)]
    groups = batches.shared_beginnings(scorer.tokenize(tiny_tokenizer, prompts, OPTIONS)[0])
    assert sorted(len(rows) for rows, _ in groups) == [30, 30]
    found = score(tiny_model, tiny_tokenizer, prompts, OPTIONS[:2])
    np.testing.assert_allclose(found, naive_all(tiny_model, tiny_tokenizer, prompts, OPTIONS[:2]), atol=1e-4)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_padding_side_of_the_tokenizer_does_not_matter(tiny_tokenizer, tiny_model, side, monkeypatch):
    prompts = prompts_of(tiny_tokenizer, [10, 90, 40])
    monkeypatch.setattr(tiny_tokenizer, "padding_side", side)
    found = score(tiny_model, tiny_tokenizer, prompts, OPTIONS)
    np.testing.assert_allclose(found, naive_all(tiny_model, tiny_tokenizer, prompts, OPTIONS), atol=1e-4)


def test_forty_options_with_one_first_token_are_scored_exactly(tiny_tokenizer, tiny_model):
    options = [f"promoter class {i}" for i in range(40)]
    prompts = prompts_of(tiny_tokenizer, [60, 20])
    np.testing.assert_allclose(
        score(tiny_model, tiny_tokenizer, prompts, options),
        naive_all(tiny_model, tiny_tokenizer, prompts, options),
        atol=1e-4,
    )


def test_plain_rows_and_branches_agree(tiny_tokenizer):
    model = random_model("gpt2", tiny_tokenizer)
    prompts = prompts_of(tiny_tokenizer, [50, 3, 120])
    ids = scorer.tokenize(tiny_tokenizer, prompts, OPTIONS)
    with torch.inference_mode():
        plain = plain_scores(model, *ids, tiny_tokenizer.eos_token_id)
    np.testing.assert_allclose(score(model, tiny_tokenizer, prompts, OPTIONS), plain, atol=1e-4)


@ONCE
@pytest.mark.parametrize("model_type", ["gpt2", "lfm2"])
@given(lengths=st.lists(st.integers(0, 150), min_size=1, max_size=12), batch_tokens=st.integers(1, 3000))
def test_a_score_does_not_depend_on_its_batch(tiny_tokenizer, model_type, lengths, batch_tokens):
    tiny_model = random_model(model_type, tiny_tokenizer)
    prompts = prompts_of(tiny_tokenizer, lengths)
    together = score(tiny_model, tiny_tokenizer, prompts, OPTIONS[:2], batch_tokens)
    alone = np.vstack([score(tiny_model, tiny_tokenizer, [prompt], OPTIONS[:2]) for prompt in prompts])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_an_option_scores_the_same_whatever_the_other_options_are(tiny_tokenizer, tiny_model):
    prompts = prompts_of(tiny_tokenizer, [30, 60])
    many = score(tiny_model, tiny_tokenizer, prompts, [*OPTIONS, *(f"class {i}" for i in range(40))])
    for k, option in enumerate(OPTIONS):
        np.testing.assert_allclose(score(tiny_model, tiny_tokenizer, prompts, [option])[:, 0], many[:, k], atol=1e-4)


def test_no_prompts_give_no_rows(tiny_tokenizer, tiny_model):
    assert score(tiny_model, tiny_tokenizer, [], OPTIONS).shape == (0, len(OPTIONS))


@pytest.mark.parametrize("options", [[], ["promoter", ""], ["promoter", "promoter"]])
def test_empty_or_repeated_options_are_refused(tiny_tokenizer, tiny_model, options):
    with pytest.raises(InputError, match="distinct, non-empty"):
        score(tiny_model, tiny_tokenizer, prompts_of(tiny_tokenizer, [10]), options)


def test_a_prompt_longer_than_the_context_names_tokens_and_limit(tiny_tokenizer, tiny_model):
    prompts = prompts_of(tiny_tokenizer, [10, 3000])
    with pytest.raises(InputError, match=r"prompt 2 of 2: \d+ tokens .* 256 tokens"):
        score(tiny_model, tiny_tokenizer, prompts, OPTIONS)


def test_a_prompt_that_just_fits_is_scored_and_one_token_less_context_is_not(tiny_tokenizer):
    prompts = prompts_of(tiny_tokenizer, [80])
    ids, options = scorer.tokenize(tiny_tokenizer, prompts, OPTIONS)
    needed = len(ids[0]) + max(map(len, options[0])) + 1
    assert np.isfinite(
        score(random_model("gpt2", tiny_tokenizer, context=needed), tiny_tokenizer, prompts, OPTIONS)
    ).all()
    with pytest.raises(InputError, match=f"{needed - 1} tokens"):
        score(random_model("gpt2", tiny_tokenizer, context=needed - 1), tiny_tokenizer, prompts, OPTIONS)


def test_a_model_that_gives_nan_is_named_broken(tiny_tokenizer):
    model = random_model("gpt2", tiny_tokenizer)
    model.transformer.ln_f.weight.data[3] = float("nan")
    with pytest.raises(InputError, match="weights are broken"):
        score(model, tiny_tokenizer, prompts_of(tiny_tokenizer, [10]), OPTIONS)


def test_prompts_that_begin_with_the_pad_token_are_scored_without_a_warning(tiny_tokenizer, caplog):
    model = random_model("gpt2", tiny_tokenizer)
    model.config.pad_token_id = tiny_tokenizer.eos_token_id
    prompts = [tiny_tokenizer.eos_token + prompt for prompt in prompts_of(tiny_tokenizer, [20, 30])]
    transformers.logging.enable_propagation()
    transformers.logging.get_logger("transformers.modeling_utils").warning_once.cache_clear()
    found = score(model, tiny_tokenizer, prompts, OPTIONS[:2])
    transformers.logging.disable_propagation()
    assert "attention_mask" not in caplog.text
    np.testing.assert_allclose(found, naive_all(model, tiny_tokenizer, prompts, OPTIONS[:2]), atol=1e-4)


IDS = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=12), min_size=1, max_size=40)


@given(prompts=IDS, batch_tokens=st.integers(1, 200), one_length=st.booleans(), cost=st.integers(0, 20))
def test_batches_hold_every_row_once_within_the_budget(prompts, batch_tokens, one_length, cost):
    options = [[[1, 2], [3]]] * len(prompts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "GROUP_COST", cost)
        found = list(batches.plan(prompts, options, batch_tokens, 10, True, one_length))
    assert sorted(i for batch in found for i in batch.rows) == list(range(len(prompts)))
    for batch in found:
        members = [prompts[i] for i in batch.rows]
        assert len({tuple(m[: batch.n_shared]) for m in members}) == 1
        assert all(len(m) > batch.n_shared for m in members)
        assert not one_length or len(set(map(len, members))) == 1
        tokens = len(members) * (max(map(len, members)) - batch.n_shared + 3)
        assert tokens <= batch_tokens or len(members) == 1


def test_a_large_vocabulary_makes_smaller_batches():
    found = list(batches.plan([[1, 2, 3]] * 500, [[[1], [2, 3]]] * 500, 10**9, 150_000, True, False))
    assert max(len(batch.rows) for batch in found) * (3 + 1) * 150_000 <= batches.MAX_LOGITS


def test_probabilities_are_shares_of_the_options():
    np.testing.assert_allclose(probabilities(np.log([[0.2, 0.6]]), 1.0), [[0.25, 0.75]])
