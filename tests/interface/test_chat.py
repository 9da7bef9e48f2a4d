import io
import random
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from dnahlm.inference.calibrate import calibrated
from dnahlm.inference.classify import classify
from dnahlm.inference.generator import Generated
from dnahlm.inference.scorer import score
from dnahlm.interface.answer import fit_conversation
from dnahlm.interface.chat import ChatConfig, answer_once, run
from dnahlm.io import InputError
from dnahlm.tasks.prompt import fill_phrasing, render_prompt
from dnahlm.tasks.spec import answers

DNA = "".join(random.Random(0).choices("ACGT", k=70))


@pytest.fixture
def chat(tuned_folder):
    """Feed lines to a chat and return what it shows."""

    def talk(*lines, **options):
        shown = io.StringIO()
        config = ChatConfig(str(tuned_folder), **{"max_new_tokens": 6, **options})
        run(config, stdin=io.StringIO("\n".join(lines) + "\n"), stdout=shown)
        return shown.getvalue()

    return talk


def test_a_tuned_question_gets_text_and_the_probabilities_of_predict(chat, loaded):
    shown = chat(f"Is this DNA sequence a promoter? {DNA}", "")
    assert (
        "model> " in shown
        and "task core_promoter (calibrated, asked in the task's words, mean of both strands)" in shown
    )
    p = classify(loaded, loaded.tasks["core_promoter"], [DNA])[0]
    assert f"promoter      {p[1]:6.1%}" in shown
    assert "free generation" not in shown


def test_the_probabilities_beside_a_wording_of_the_task_are_those_of_that_very_question(chat, loaded):
    spec = loaded.tasks["core_promoter"]
    for phrasing in (spec.phrasings[3], spec.held_out_phrasings[0]):
        question = fill_phrasing(phrasing, ["promoter", "non-promoter"])
        found = answer_once(loaded, question, DNA).probabilities
        prompts = [render_prompt(loaded.tokenizer, question, DNA)]
        expected = calibrated(loaded, spec, score(loaded.model, loaded.tokenizer, prompts, answers(spec)))[0]
        np.testing.assert_allclose(np.log([found[word] for word in answers(spec)]), np.log(expected), atol=1e-3)
        assert np.abs(np.log(expected / classify(loaded, spec, [DNA])[0])).max() > 0.05  # it is another question
    assert "task core_promoter (calibrated, asked as you did)" in chat(f"{question} {DNA}", "")


def test_a_question_of_no_task_is_answered_freely_and_says_so(chat):
    shown = chat("Who are you?")
    assert "I was not tuned for this question; the text below is free generation" in shown
    assert "task " not in shown.split("model> ")[1]


def test_a_tuned_question_without_dna_asks_for_it_and_takes_it_next(chat):
    shown = chat("Is this DNA sequence a promoter?", "", DNA[:40], DNA[40:], "")
    assert "Which sequence?" in shown and "tuned on 70-70 bases" in shown
    assert shown.index("Which sequence?") < shown.index("task core_promoter (calibrated")
    assert "outside" not in shown


def test_a_follow_up_question_is_about_the_last_sequence(chat):
    shown = chat(f"Is this DNA sequence a promoter? {DNA}", "", "Is this a splice donor or acceptor?")
    assert "(about the last sequence, 70 bases)" in shown
    assert "task splice_site (not calibrated, asked in the task's words)" in shown


def test_a_sequence_without_a_question_waits_for_one(chat):
    shown = chat(DNA, "", "Is it a promoter?")
    assert "I have the sequence (70 bases). What is the question?" in shown
    assert "task core_promoter" in shown


def test_a_file_is_answered_like_typed_dna(chat, tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(f">one\n{DNA[:30]}\n{DNA[30:]}\n")
    typed = chat(f"Is this DNA sequence a promoter? {DNA}", "")
    from_file = chat(f"Is this DNA sequence a promoter? @{path}")
    assert from_file.split("model> ")[1] == typed.split("model> ")[1]
    assert "record 'one'" in from_file


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("What does <|endoftext|> mean?", r"holds '<\|endoftext\|>', which the tokenizer reads as"),
        ("Is this a promoter? MKVLAAGICWQESNRPTYVF", "looks like a protein"),
        ("Is this a promoter? @none.fa", "no such file"),
        ("Is this a promoter? " + "ACGT" * 2000, r"8,000 bases are too long"),
        ("Who are you? " + "ACGT" * 2000, r"8,000 bases and the question are too long: .* about 1,"),
    ],
)
def test_bad_input_is_explained_and_the_chat_goes_on(chat, line, error):
    shown = chat(line, "", f"Is this DNA sequence a promoter? {DNA}", "")
    before, after = shown.split("error: ")
    assert re.search(error, after) and "task core_promoter" in after and "task core_promoter (" not in before


def test_a_length_never_seen_in_tuning_is_said(chat):
    assert "10 bases are outside the 70-70 seen in tuning" in chat("Is ACGTACGTAC a promoter?")


def test_commands_help_tasks_reset_and_quit(chat):
    shown = chat("/help", "/tasks", "/reset", "/nonsense", "/quit", "Is this a promoter?")
    assert "Not a clinical or diagnostic tool." in shown
    assert "core_promoter: simulated data: A test task named core_promoter." in shown
    assert "splice_site" in shown and "The conversation is forgotten." in shown
    assert "Unknown command /nonsense" in shown
    assert "Which sequence?" not in shown and shown.endswith("Bye.\n")


def test_reset_forgets_sequence_and_question(chat):
    shown = chat(f"Is this DNA sequence a promoter? {DNA}", "", "/reset", "Is this a promoter?")
    assert "Which sequence?" in shown


def test_the_first_prompt_is_the_bytes_that_tuning_saw(loaded):
    prompt, _, _ = fit_conversation(loaded, [], "Is this a promoter?", DNA, 6)
    assert prompt == render_prompt(loaded.tokenizer, "Is this a promoter?", DNA)


def test_later_turns_are_rendered_by_the_chat_template(chat, loaded, monkeypatch):
    seen = []

    def record(loaded, prompt, n_new, show):
        seen.append(prompt)
        return Generated("promoter", True)

    monkeypatch.setattr("dnahlm.interface.chat.write", record)
    chat(f"Is it a promoter? {DNA}", "", "Who are you?", "And now?")
    messages = [
        {"role": "user", "content": f"Is it a promoter?\n\n{DNA}"},
        {"role": "assistant", "content": "promoter"},
        {"role": "user", "content": "Who are you?"},
        {"role": "assistant", "content": "promoter"},
        {"role": "user", "content": "And now?"},
    ]
    for n, prompt in zip((1, 3, 5), seen, strict=True):
        template = loaded.tokenizer.apply_chat_template(messages[:n], tokenize=False, add_generation_prompt=True)
        assert prompt == template


def test_the_oldest_turns_are_left_out_when_the_context_is_full_and_this_is_said(chat, loaded):
    shown = chat(*[f"Is this DNA sequence a promoter? {DNA}\n"] * 6)
    assert "oldest turns no longer fit" in shown and "error" not in shown
    history = [
        m for i in range(9) for m in ({"role": "user", "content": f"q{i} {DNA}"}, {"role": "assistant", "content": "a"})
    ]
    prompt, n_new, dropped = fit_conversation(loaded, history, "What?", None, 6)
    assert f"q{dropped} " in prompt and f"q{dropped - 1} " not in prompt and n_new == 6
    assert len(loaded.tokenizer(prompt)["input_ids"]) + 6 <= 512


def test_a_long_lone_question_gets_a_shorter_answer_before_it_is_refused(loaded):
    def tokens(n):
        return len(loaded.tokenizer(render_prompt(loaded.tokenizer, "What?", DNA * n))["input_ids"])

    n = max(n for n in range(1, 40) if tokens(n) <= 512 - 8)
    _, n_new, _ = fit_conversation(loaded, [], "What?", DNA * n, 400)
    assert n_new == 512 - tokens(n)
    with pytest.raises(InputError, match="Nothing was cut"):
        fit_conversation(loaded, [], "What?", DNA * (n + 5), 400)


def test_escape_codes_from_the_model_do_not_reach_the_terminal(chat, monkeypatch):
    def hostile(loaded, prompt, n_new, show):
        show("\x1b[2J[bold]hi[/bold]")
        return Generated("x", True)

    monkeypatch.setattr("dnahlm.interface.chat.write", hostile)
    shown = chat("Who are you?")
    assert "\x1b[2J" not in shown and "[bold]hi[/bold]" in shown


def test_answer_once_gives_text_label_and_probabilities(loaded):
    answer = answer_once(loaded, "Is this DNA sequence a promoter?", DNA, max_new_tokens=4)
    assert answer.task == "core_promoter"
    assert list(answer.probabilities) == ["non-promoter", "promoter"]
    np.testing.assert_allclose(sum(answer.probabilities.values()), 1)
    assert answer.probabilities[answer.label] == max(answer.probabilities.values())
    free = answer_once(loaded, "Who are you?", DNA, max_new_tokens=4)
    assert (free.task, free.probabilities, free.label) == (None, None, None)


def test_a_model_without_tasks_chats_freely(tuned_folder, tmp_path, loaded):
    bare = shutil.copytree(tuned_folder, tmp_path / "bare", ignore=shutil.ignore_patterns("tasks*"))
    shown = io.StringIO()
    run(ChatConfig(str(bare), 4), stdin=io.StringIO(f"/tasks\nIs this a promoter? {DNA}\n"), stdout=shown)
    assert "carries no tasks" in shown.getvalue() and "not tuned for this question" in shown.getvalue()


@pytest.mark.slow
def test_the_command_works_on_a_pipe_and_ends_with_status_0(tuned_folder):
    command = [sys.executable, "-m", "dnahlm", "chat", "--model", str(tuned_folder), "--max_new_tokens", "4"]
    lines = f"Is this DNA sequence a promoter?\n{DNA[:40]}\n{DNA[40:]}\n\nIs it XACGTACGTACGT?\n/quit\n"
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "task core_promoter" in done.stdout and "error: your sequence: 'X'" in done.stdout
    assert "Traceback" not in done.stderr
