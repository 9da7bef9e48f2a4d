import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dnahlm.io import InputError, shipped
from dnahlm.tasks.prompt import encode, fill_phrasing, render_prompt, render_prompts, user_content

TEMPLATE = (shipped("data_templates") / "prompts" / "alpaca.jinja").read_text(encoding="utf-8")
ONE_TURN = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n"
    "\n"
    "### Instruction:\n"
    "Is this DNA sequence a promoter? Answer promoter or non-promoter.\n"
    "\n"
    "### Input:\n"
    "ACGTACGTAC\n"
    "\n"
    "### Response:\n"
)
QUESTION = "Is this DNA sequence a promoter? Answer promoter or non-promoter."


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


def text_of(tokenizer, messages, **options):
    return tokenizer.apply_chat_template(messages, tokenize=False, **options)


def test_the_tokenizer_carries_the_shipped_template(tiny_tokenizer):
    assert tiny_tokenizer.chat_template == TEMPLATE


def test_a_prompt_is_these_very_bytes(tiny_tokenizer):
    assert render_prompt(tiny_tokenizer, QUESTION, "ACGTACGTAC") == ONE_TURN


def test_an_answered_prompt_goes_on_with_answer_and_end_token(tiny_tokenizer):
    messages = [user(user_content(QUESTION, "ACGTACGTAC")), assistant("non-promoter")]
    assert text_of(tiny_tokenizer, messages) == ONE_TURN + "non-promoter<|endoftext|>"


def test_without_input_there_is_no_input_block(tiny_tokenizer):
    expected = ONE_TURN.replace("### Input:\nACGTACGTAC\n\n", "")
    assert render_prompt(tiny_tokenizer, QUESTION, "") == expected


def test_turns_follow_each_other_after_a_blank_line(tiny_tokenizer):
    messages = [user(f"{QUESTION}\n\nACGTACGTAC"), assistant("promoter"), user("And now?\n\nTTTT")]
    expected = ONE_TURN + ("promoter<|endoftext|>\n\n### Instruction:\nAnd now?\n\n### Input:\nTTTT\n\n### Response:\n")
    assert text_of(tiny_tokenizer, messages, add_generation_prompt=True) == expected


def test_a_system_message_replaces_the_preamble(tiny_tokenizer):
    messages = [{"role": "system", "content": "You read DNA."}, user("Promoter?\n\nACGT"), assistant("yes")]
    expected = "You read DNA.\n\n### Instruction:\nPromoter?\n\n### Input:\nACGT\n\n### Response:\nyes<|endoftext|>"
    assert text_of(tiny_tokenizer, messages) == expected


def test_only_the_first_blank_line_parts_instruction_and_input(tiny_tokenizer):
    rendered = text_of(tiny_tokenizer, [user("Compare.\n\nACGT\n\nTTTT")], add_generation_prompt=True)
    assert "### Instruction:\nCompare.\n\n### Input:\nACGT\n\nTTTT\n\n### Response:\n" in rendered


def test_white_space_around_a_message_changes_nothing(tiny_tokenizer):
    padded = text_of(tiny_tokenizer, [user(f"\n {QUESTION}\n\n ACGTACGTAC \n\n")], add_generation_prompt=True)
    assert padded == ONE_TURN


def test_the_assistant_mask_covers_each_answer_and_its_end_token(tiny_tokenizer):
    messages = [user(f"{QUESTION}\n\nACGTACGTAC"), assistant("promoter"), user("Sure?"), assistant("no")]
    encoded = tiny_tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    masked = [i for i, on in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if on]
    assert tiny_tokenizer.decode(masked) == "promoter<|endoftext|>no<|endoftext|>"
    assert tiny_tokenizer.decode(encoded["input_ids"]) == text_of(tiny_tokenizer, messages)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "empty"),
        ([{"role": "tool", "content": "x"}], "Unknown role 'tool'"),
        ([assistant("promoter")], "user first"),
        ([user("a"), user("b")], "take turns"),
        ([user("a"), {"role": "system", "content": "late"}], "comes first"),
        ([user([{"type": "text", "text": "a"}])], "must be text"),
    ],
)
def test_a_conversation_the_text_cannot_express_is_refused(tiny_tokenizer, messages, said):
    with pytest.raises(Exception, match=said):
        text_of(tiny_tokenizer, messages)


def test_no_response_can_be_asked_for_after_an_answer(tiny_tokenizer):
    with pytest.raises(Exception, match="after a user message"):
        text_of(tiny_tokenizer, [user("a"), assistant("b")], add_generation_prompt=True)


def test_a_template_written_in_a_message_is_text_not_code(tiny_tokenizer):
    rendered = render_prompt(tiny_tokenizer, "{{ messages }} {% raw %}", "{options}")
    assert "### Instruction:\n{{ messages }} {% raw %}\n\n### Input:\n{options}\n" in rendered


def test_a_blank_line_inside_an_instruction_is_refused():
    with pytest.raises(InputError, match="blank line"):
        user_content("Is this\n\na promoter?", "ACGT")


def test_an_empty_instruction_is_refused():
    with pytest.raises(InputError, match="empty"):
        user_content("  ", "ACGT")


@pytest.mark.parametrize("where", ["instruction", "input"])
@pytest.mark.parametrize("token", ["<|endoftext|>", "<|pad|>"])
def test_a_question_that_spells_out_a_reserved_token_is_refused(tiny_tokenizer, where, token):
    words = {"instruction": "Is this a promoter?", "input": "ACGT"}
    with pytest.raises(InputError, match=re.escape(f"holds '{token}', which the tokenizer reads as")):
        render_prompt(tiny_tokenizer, **{**words, where: f"{words[where]} {token}"})


def test_prompts_are_rendered_in_order_across_batches(tiny_tokenizer):
    inputs = ["ACGT" * (1 + i % 3) + "A" * (i % 7) for i in range(4100)]
    rendered = render_prompts(tiny_tokenizer, [QUESTION] * len(inputs), inputs)
    assert [text.split("### Input:\n")[1].split("\n")[0] for text in rendered] == inputs


@pytest.mark.parametrize(("options", "listed"), [(["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")])
def test_options_are_listed_as_english_does(options, listed):
    assert fill_phrasing("Say {options}!", options) == f"Say {listed}!"


def test_prompt_and_answer_ids_join_to_the_ids_the_chat_template_gives(tiny_tokenizer):
    prompts = render_prompts(tiny_tokenizer, [QUESTION] * 2, ["ACGTACGTAC", "TTTTTTTTTTTTGGG"])
    prompt_ids, answer_ids = encode(tiny_tokenizer, prompts, ["promoter", "non-promoter"])
    for sequence, answer, left, right in zip(
        ["ACGTACGTAC", "TTTTTTTTTTTTGGG"], ["promoter", "non-promoter"], prompt_ids, answer_ids, strict=True
    ):
        messages = [user(user_content(QUESTION, sequence)), assistant(answer)]
        assert left + right == tiny_tokenizer.apply_chat_template(messages)["input_ids"]
        assert right[-1] == tiny_tokenizer.eos_token_id


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pairs=st.lists(
        st.tuples(st.text("ACGTN", min_size=1, max_size=60), st.text("abc yn-.\n", min_size=1).map(str.strip)),
        max_size=6,
    )
)
def test_shared_checks_give_the_ids_of_each_whole_text(tiny_tokenizer, pairs):
    pairs = [(sequence, answer) for sequence, answer in pairs if answer]
    prompts = render_prompts(tiny_tokenizer, [QUESTION] * len(pairs), [sequence for sequence, _ in pairs])
    answers = [answer for _, answer in pairs]
    left, right = encode(tiny_tokenizer, prompts, answers)
    whole = [
        tiny_tokenizer(p + a, add_special_tokens=False)["input_ids"] for p, a in zip(prompts, answers, strict=True)
    ]
    assert [a + b[:-1] for a, b in zip(left, right, strict=True)] == whole


def test_a_prompt_that_ends_inside_a_token_is_refused_with_its_tail(tiny_tokenizer):
    with pytest.raises(InputError, match=r"joins the end of the prompt .'Answer with prom'"):
        encode(tiny_tokenizer, ["Answer with prom"], ["oter"])


def test_an_empty_answer_is_refused(tiny_tokenizer):
    with pytest.raises(InputError, match="empty"):
        encode(tiny_tokenizer, [ONE_TURN], [""])


def test_encoding_nothing_gives_nothing(tiny_tokenizer):
    assert encode(tiny_tokenizer, [], []) == ([], [])


def test_truncation_set_by_an_earlier_call_cuts_no_prompt(tiny_tokenizer):
    tiny_tokenizer(["ACGT" * 20, "A"], truncation=True, max_length=3, padding=True)
    (ids,), _ = encode(tiny_tokenizer, [ONE_TURN], ["promoter"])
    assert tiny_tokenizer.decode(ids) == ONE_TURN


def test_the_llama_factory_registry_names_the_files_and_columns_the_build_writes():
    registry = json.loads((shipped("data_templates") / "dataset_info.json").read_text())
    assert [entry["file_name"] for entry in registry.values()] == [
        f"{name}.jsonl" for name in ("train", "validation", "test", "test_held_out")
    ]
    for entry in registry.values():
        assert entry["formatting"] == "alpaca"
        assert entry["columns"] == {"prompt": "instruction", "query": "input", "response": "output"}


def test_a_special_token_typed_in_a_question_counts_as_in_any_chat_program(tiny_tokenizer):
    from dnahlm.tasks.prompt import token_ids_of

    prompt = text_of(tiny_tokenizer, [{"role": "user", "content": "stop <|endoftext|> <|pad|> here"}])
    (found,) = token_ids_of(tiny_tokenizer, [prompt])
    assert found == tiny_tokenizer(prompt, add_special_tokens=False)["input_ids"]
    assert {tiny_tokenizer.eos_token_id, tiny_tokenizer.pad_token_id} <= set(found)
    assert tiny_tokenizer.decode(found) == prompt
