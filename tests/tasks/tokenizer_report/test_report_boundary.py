"""The border check: every shipped task, and tokenizers that are known to join what must stay apart."""

import copy

import pytest
import tokenizer_kinds as kinds

from dnahlm.tasks.prompt import encode, render_prompt
from dnahlm.tasks.spec import load_task, shipped_tasks
from dnahlm.tasks.tokenizer_report.boundary import check_boundaries, wordings
from dnahlm.tokenizer.measures.encoder import Encoder

FEW = [load_task(name) for name in ("core_promoter", "splice_site", "dna_pair")]


@pytest.fixture(scope="module")
def clean(tiny_tokenizer):
    return check_boundaries(Encoder(tiny_tokenizer, "ours"), [load_task(name) for name in shipped_tasks()], 0)


def joined(*texts):
    return Encoder(kinds.unisolated([text for text in texts for _ in range(60)], 1500), "joined")


def test_every_shipped_task_is_asked_in_every_wording_and_ours_joins_nothing(clean):
    assert [task["task"] for task in clean["tasks"]] == list(shipped_tasks())
    for task in clean["tasks"]:
        assert task["prompts"] == 4 * len(list(wordings(load_task(task["task"]))))
        assert task["answers"] and task["sequences"] >= task["prompts"]
    assert clean["first_base"] == clean["last_base"] == clean["answer"] == clean["altered"] == clean["refused"] == 0
    assert clean["template"] == "its own chat template"


def test_a_token_of_prompt_and_first_base_is_found():
    found = check_boundaries(joined(*(f"\n\n### Input:\n{base}" for base in "ACGT")), FEW, 0)
    assert found["first_base"] and found["answer"] == 0
    assert any(task["example"].endswith("\nA") for task in found["tasks"])
    assert found["template"].startswith("the shipped Alpaca template")


def test_a_token_of_last_base_and_what_follows_is_found():
    found = check_boundaries(joined(*(f"{base}\n\n### Response:\n" for base in "ACGT")), FEW, 0)
    assert found["last_base"] and not found["first_base"]


def test_a_token_of_prompt_and_answer_is_found_where_training_would_refuse_it():
    from dnahlm.io import InputError

    encoder = joined("### Response:\npromoter")
    found = check_boundaries(encoder, FEW, 0)
    tasks = {task["task"]: task for task in found["tasks"]}
    assert tasks["core_promoter"]["answer"] and not tasks["splice_site"]["answer"]
    with pytest.raises(InputError, match="joins the end of the prompt"):
        encode(encoder.tokenizer, [render_prompt(encoder.tokenizer, "Is it?", "ACGT")], ["promoter"])


def test_prompts_that_cannot_be_encoded_are_counted_not_raised():
    found = check_boundaries(Encoder(kinds.three_mers(), "3-mers"), FEW, 0)
    assert found["refused"] == found["prompts"] and found["answers"] == 0 and found["question_tokens"] is None


def test_a_template_that_changes_the_dna_is_found(tiny_tokenizer):
    lower = copy.deepcopy(tiny_tokenizer)
    lower.chat_template = "{{ messages[0]['content'] | lower }}\n"
    found = check_boundaries(Encoder(lower, "lower"), FEW, 0)
    assert found["altered"] == found["prompts"]


def test_the_tokens_of_a_question_leave_its_dna_out(clean, tiny_tokenizer):
    spec = load_task("core_promoter")
    sizes = [
        len(tiny_tokenizer(render_prompt(tiny_tokenizer, question, "A"))["input_ids"]) - 1
        for question, _ in wordings(spec)
    ]
    (found,) = (task for task in clean["tasks"] if task["task"] == "core_promoter")
    assert min(sizes) <= found["question_tokens"] <= max(sizes)
