import copy
import random

import pytest
import torch

from dnahlm.inference.generator import Generated, generate, stream
from dnahlm.io import InputError
from dnahlm.model.create import ModelArguments, create_model
from dnahlm.tasks.prompt import render_prompt


def prompts_of(tokenizer, lengths):
    rng = random.Random(1)
    return [render_prompt(tokenizer, "Is it a promoter?", "".join(rng.choices("ACGT", k=n))) for n in lengths]


def greedy(model, tokenizer, prompt, n):
    """One token at a time, the whole text computed anew each time."""
    ids, new = tokenizer(prompt, add_special_tokens=False)["input_ids"], []
    for _ in range(n):
        with torch.no_grad():
            token = model(torch.tensor([ids + new])).logits[0, -1].argmax().item()
        if token == tokenizer.eos_token_id:
            return Generated(tokenizer.decode(new, skip_special_tokens=True), True)
        new.append(token)
    return Generated(tokenizer.decode(new, skip_special_tokens=True), False)


def test_batches_of_mixed_lengths_give_the_naive_greedy_answers(tiny_model, tiny_tokenizer):
    prompts = prompts_of(tiny_tokenizer, [5, 150, 40, 41, 90])
    expected = [greedy(tiny_model, tiny_tokenizer, prompt, 10) for prompt in prompts]
    for batch_size in (1, 2, 64):
        assert generate(tiny_model, tiny_tokenizer, prompts, 10, batch_size) == expected


def test_a_model_with_convolutions_gives_the_naive_greedy_answers_in_batches_of_mixed_lengths(tiny_tokenizer):
    shape = ModelArguments(
        model_type="lfm2", hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        config_overrides={"full_attn_idxs": [1], "conv_L_cache": 4, "initializer_range": 0.3},
    )  # fmt: skip
    torch.manual_seed(0)
    model = create_model(shape, tiny_tokenizer, context=256).eval()
    rng = random.Random(2)
    prompts = ["".join(rng.choices("ACGT", k=n)) for n in (9, 60, 40, 41)]
    expected = [greedy(model, tiny_tokenizer, prompt, 6) for prompt in prompts]
    assert len({answer.text for answer in expected}) > 1
    assert generate(model, tiny_tokenizer, prompts, 6) == expected


def test_streamed_pieces_join_to_the_generated_text(tiny_model, tiny_tokenizer):
    for prompt in prompts_of(tiny_tokenizer, [5, 80]):
        *pieces, whole = stream(tiny_model, tiny_tokenizer, prompt, 10)
        assert whole == generate(tiny_model, tiny_tokenizer, [prompt], 10)[0]
        assert "".join(pieces) == whole.text


def always_eos(model, tokenizer):
    model = copy.deepcopy(model)
    model.lm_head = torch.nn.Linear(model.config.n_embd, len(tokenizer))
    torch.nn.init.zeros_(model.lm_head.weight)
    model.lm_head.bias.data = torch.nn.functional.one_hot(torch.tensor(tokenizer.eos_token_id), len(tokenizer)).float()
    return model


def test_generation_stops_at_eos_and_says_so(tiny_model, tiny_tokenizer):
    prompts = prompts_of(tiny_tokenizer, [5, 30])
    model = always_eos(tiny_model, tiny_tokenizer)
    assert generate(model, tiny_tokenizer, prompts, 10) == [Generated("", True)] * 2
    assert list(stream(model, tiny_tokenizer, prompts[0], 10)) == [Generated("", True)]


def test_a_prompt_near_the_end_of_the_context_writes_less_and_shortens_no_other(tiny_model, tiny_tokenizer):
    limit = tiny_model.config.n_positions
    near = next(
        prompt
        for n in range(100, 2000)
        for prompt in prompts_of(tiny_tokenizer, [n])
        if len(tiny_tokenizer(prompt)["input_ids"]) == limit - 4
    )
    (short,) = prompts_of(tiny_tokenizer, [20])
    together = generate(tiny_model, tiny_tokenizer, [near, short], 10)
    assert together == [greedy(tiny_model, tiny_tokenizer, near, 4), greedy(tiny_model, tiny_tokenizer, short, 10)]


def test_a_prompt_that_fills_the_context_is_refused(tiny_model, tiny_tokenizer):
    with pytest.raises(InputError, match="the model sees 256"):
        generate(tiny_model, tiny_tokenizer, prompts_of(tiny_tokenizer, [3000]), 10)


def test_settings_saved_in_a_checkpoint_do_not_change_the_greedy_answer(tiny_model, tiny_tokenizer):
    model = copy.deepcopy(tiny_model)
    model.generation_config.update(do_sample=True, temperature=5.0, top_k=3, repetition_penalty=3.0, num_beams=2)
    prompts = prompts_of(tiny_tokenizer, [30])
    assert generate(model, tiny_tokenizer, prompts, 8) == generate(tiny_model, tiny_tokenizer, prompts, 8)


OPTIONS = ["promoter", "pro", "promoter region of a gene", "neither", "acceptor"]


def constrained_greedy(model, tokenizer, prompt, options):
    """One token at a time, the whole text computed anew each time, only tokens that lead to an option."""
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    whole = [tokenizer(prompt + o, add_special_tokens=False)["input_ids"][len(ids) :] for o in options]
    left, new = [[*o, tokenizer.eos_token_id] for o in whole], []
    while True:
        allowed = sorted({option[len(new)] for option in left})
        with torch.no_grad():
            logits = model(torch.tensor([ids + new])).logits[0, -1]
        new.append(max(allowed, key=lambda token: logits[token].item()))
        left = [option for option in left if option[: len(new)] == new]
        if new[-1] == tokenizer.eos_token_id:
            return options[whole.index(new[:-1])]


def test_constrained_answers_are_options_that_end_chosen_greedily_token_by_token(tuned_model, tiny_tokenizer):
    prompts = prompts_of(tiny_tokenizer, [5, 150, 40, 41, 90, 17, 66])
    expected = [constrained_greedy(tuned_model, tiny_tokenizer, prompt, OPTIONS) for prompt in prompts]
    for batch_size in (1, 3, 64):
        found = generate(tuned_model, tiny_tokenizer, prompts, 1, batch_size, options=OPTIONS)
        assert found == [Generated(text, True) for text in expected]


def test_an_option_that_does_not_fit_the_context_is_refused(tiny_model, tiny_tokenizer):
    with pytest.raises(InputError, match="exceed the 256 tokens"):
        generate(tiny_model, tiny_tokenizer, prompts_of(tiny_tokenizer, [10]), 5, options=["promoter " * 250])
