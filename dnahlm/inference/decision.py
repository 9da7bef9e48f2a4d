"""Decision files: what `transformers serve` and `pipeline("decision")` need to answer a task with probabilities.

They read the logits of one token per answer in one forward pass, so a task has them only where each of its answers
begins with a token of its own. The rest of an answer and the end of text follow from that token once a model is tuned,
but only `dnahlm.inference.scorer` counts them in: on an untuned model the two differ. The prompt is the very text the
model was tuned on, and the temperature that of its calibration. The calibration's bias has no place in these files (a
temperature per kind of question is all they hold): a lean towards one answer that `dnahlm predict` corrects, the server
does not. For how many validation rows that means another answer is said, in the manifest and on the terminal.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast
from transformers.decision import DecisionConfig

from dnahlm.inference.calibrate import FILE_NAME as CALIBRATION_FILE
from dnahlm.inference.calibrate import Calibration, read_calibrations
from dnahlm.io import InputError
from dnahlm.model.load import ADAPTER_FILE
from dnahlm.tasks.prompt import encode, fill_phrasing, render_prompt
from dnahlm.tasks.spec import TaskSpec, answers, asks_one_sequence, has_fixed_answers, tasks_in
from dnahlm.tokenizer.load import load_tokenizer

FOLDER = "decision"
QUESTION, STATE = "qqQUESTIONqq", "qqSTATEqq"  # stand for the question and the DNA while the prompt is taken apart


def write_decisions(folder: Path) -> dict[str, Any]:
    """Write `folder/decision/<task>.json` for every task that can have one.

    A checkpoint with one such task also gets `decision.json` and `decision_template.jinja`, which the server finds by
    itself; of several, `transformers serve --decision-config folder/decision/<task>.json` names one.

    Args:
        folder: a tuned checkpoint with its tokenizer, task files and calibration.

    Returns:
        `decision`: task -> "written", with what it lacks, or why not; for the manifest.
    """
    tokenizer = load_tokenizer(folder)
    tasks = tasks_in(folder)
    calibrations = read_calibrations(folder / CALIBRATION_FILE, tasks)
    found, written = {}, {}
    for spec in tasks.values():
        reason = "an adapter, not a whole model" if (folder / ADAPTER_FILE).is_file() else why_not(tokenizer, spec)
        calibration = calibrations.get(spec.id, Calibration())
        found[spec.id] = reason or f"written{without_bias(calibration)}"
        if not reason:
            written[spec.id] = decision_config(tokenizer, spec, calibration.temperature)
    for task, config in written.items():
        (folder / FOLDER).mkdir(exist_ok=True)
        text = json.dumps(asdict(config), indent=2, ensure_ascii=False)
        (folder / FOLDER / f"{task}.json").write_text(text + "\n", encoding="utf-8")
    if len(written) == 1:
        next(iter(written.values())).save_pretrained(folder)
    for task in written:
        if calibrations.get(task, Calibration()).changed_by_bias:
            print(f"{FOLDER}/{task}.json: {found[task]}")
    return {"decision": found}


def without_bias(calibration: Calibration) -> str:
    """What the lack of the bias does, empty when it changes no answer.

    >>> without_bias(Calibration(1.0, (0.5, -0.5), rows=200, changed_by_bias=3))
    '; without the bias of its calibration, which has no place there: another answer in 3 of 200 validation rows'
    """
    if not calibration.changed_by_bias:
        return ""
    rows = f"{calibration.changed_by_bias:,} of {calibration.rows:,} validation rows"
    return f"; without the bias of its calibration, which has no place there: another answer in {rows}"


def why_not(tokenizer: PreTrainedTokenizerFast, spec: TaskSpec) -> str | None:
    """Why a task can have no decision file; None when it can."""
    if not has_fixed_answers(spec):
        return f"kind {spec.kind}: its answers are no fixed list"
    if len(pieces(tokenizer)) != 3:
        return "the chat template changes the question or the DNA"
    words = answers(spec)
    prompt = render_prompt(tokenizer, "Question?", "ACGT")
    try:
        _, ids = encode(tokenizer, [prompt] * len(words), words)
    except InputError as error:
        return str(error)
    first: dict[int, str] = {}
    for word, (begin, *_) in zip(words, ids, strict=True):
        if begin in first:
            return f"the answers {first[begin]!r} and {word!r} begin with the same token"
        first[begin] = word
        if tokenizer(tokenizer.decode([begin]), add_special_tokens=False)["input_ids"] != [begin]:
            return f"the first token of the answer {word!r} is no token by itself"
    return None


def first_tokens(tokenizer: PreTrainedTokenizerFast, words: list[str]) -> list[str]:
    """The text of the token each answer begins with."""
    prompt = render_prompt(tokenizer, "Question?", "ACGT")
    _, ids = encode(tokenizer, [prompt] * len(words), words)
    return [tokenizer.decode(begin[:1]) for begin in ids]


def decision_config(tokenizer: PreTrainedTokenizerFast, spec: TaskSpec, temperature: float) -> DecisionConfig:
    """Labels, temperature and prompt of one task; with two answers, also as the yes or no question for the second."""
    words = first_tokens(tokenizer, answers(spec))
    labels = {"choice": words} | ({"noul": words[::-1]} if len(words) == 2 else {})
    return DecisionConfig(
        labels=labels, temperature=dict.fromkeys(labels, temperature), chat_template=decision_template(tokenizer, spec)
    )


def pieces(tokenizer: PreTrainedTokenizerFast) -> list[str]:
    """The text before the question, between question and DNA, and after the DNA; not three where they are not kept."""
    before, *rest = render_prompt(tokenizer, QUESTION, STATE).split(QUESTION)
    return [before, *(part for text in rest for part in text.split(STATE))]


def decision_template(tokenizer: PreTrainedTokenizerFast, spec: TaskSpec) -> str:
    """The prompt of a task as a Jinja template over `state` (the DNA) and `question`.

    The order of the options is the task's, because the server takes the labels by place: options in another order would
    get each other's probability, so they are refused.
    """
    words = answers(spec)
    types = ["choice", "noul"] if len(words) == 2 else ["choice"]
    before, between, after = map(json.dumps, pieces(tokenizer))
    asked = json.dumps(fill_phrasing(spec.phrasings[0], words))
    # As `dnahlm.dna` reads typed DNA; the lines of a pair keep their names.
    state = "state.upper().split() | join | replace('U', 'T')" if asks_one_sequence(spec) else "state | trim"
    lines = [
        f"{{%- set answers = {json.dumps(words)} -%}}",
        f"{{%- if question.type not in {json.dumps(types)} or state is not string -%}}",
        f"    {{{{- raise_exception('this model answers questions of type {' or '.join(types)} about DNA, "
        "given as the text of `state`') -}}",
        '{%- elif question.type == "choice" and question.options != answers -%}',
        '    {{- raise_exception("the criteria of this task are, in this order: " ~ (answers | join(", "))) -}}',
        "{%- endif -%}",
        f"{{{{- {before} -}}}}",
        f"{{{{- (question.instructions or {asked}) | trim -}}}}",
        f"{{{{- {between} -}}}}",
        f"{{{{- {state} -}}}}",
        f"{{{{- {after} -}}}}",
    ]
    return "\n".join(lines) + "\n"
