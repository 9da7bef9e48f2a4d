"""The model under evaluation: a checkpoint of ours, any causal language model, or a classification head."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from transformers import AutoConfig, PreTrainedTokenizerFast

from dnahlm.evaluation.kept import KeptAnswers
from dnahlm.inference.load import Loaded, load, read_task_facts
from dnahlm.inference.parallel import device
from dnahlm.io import InputError, shipped
from dnahlm.manifest import FILE_NAME, read_json, sha256
from dnahlm.model.create import context_of
from dnahlm.model.heads import load_head
from dnahlm.model.load import ADAPTER_FILE, check_rows, require_checkpoint_place
from dnahlm.tasks.spec import tasks_in
from dnahlm.tokenizer.load import read_tokenizer, require_complete

ALPACA, OWN = "alpaca", "own"


@dataclass
class Candidate:
    """A model, how it is asked, and what a reader must know of that."""

    name: str  # m1, m2, ... in the order given
    loaded: Loaded
    template: str  # alpaca | own: whose prompt it is asked with; empty for a classification head
    head: list[str] = field(default_factory=list)  # answers of a classification head, in the order of its outputs
    notes: list[str] = field(default_factory=list)
    kept: KeptAnswers | None = None  # of an evaluation that may be stopped; None = every question is put anew


def require_candidates(paths: Sequence[str]) -> None:
    """Refuse folders that are no checkpoints before any model is opened.

    Raises:
        InputError: none given, one given twice (also as a copy), or a folder without config or weights.
    """
    if not paths:
        raise InputError("--model: none given. Name one or more checkpoint folders.")
    for path in paths:
        if list(paths).count(path) > 1:
            raise InputError(f"--model: {path} is given twice. A mean over copies of one model says nothing.")
        require_checkpoint_place(path)
    if len(paths) > 1:
        by_weights: dict[str, str] = {}
        for path in paths:
            digest = weights_sha256(path)
            if digest and by_weights.setdefault(digest, path) != path:
                raise InputError(
                    f"--model: {path} has the same weights as {by_weights[digest]}. A mean over copies of one model "
                    "says nothing; give checkpoints of different runs."
                )


def open_candidate(path: str, name: str) -> Candidate:
    """Open whatever lies in a folder (or under a hub name) so that it can be asked.

    A tokenizer without chat template is lent the Alpaca one; one without pad token pads with its end token, which
    changes no score, because padding is masked.

    Raises:
        InputError: as `inference.load.load`; a tokenizer without end token; a chat template that renders no question.
    """
    tokenizer = read_tokenizer(path)
    if is_head(path):
        return open_head(path, name, tokenizer)
    manifest = read_json(Path(path) / FILE_NAME)
    tuned_here = manifest is not None or (Path(path) / "tasks").is_dir()
    notes = complete(tokenizer, path, tuned_here)
    loaded = load(path, tokenizer=tokenizer)
    is_alpaca = (tokenizer.chat_template or "").strip().endswith(alpaca().strip())
    if not is_alpaca:
        notes.append("asked with the chat template of its own tokenizer, not the Alpaca one of the instructions")
    return Candidate(name, loaded, ALPACA if is_alpaca else OWN, notes=notes)


def alpaca() -> str:
    """The shipped chat template."""
    return (shipped("data_templates") / "prompts" / "alpaca.jinja").read_text(encoding="utf-8")


def complete(tokenizer: PreTrainedTokenizerFast, where: str, tuned_here: bool) -> list[str]:
    """Give a tokenizer, in memory only, what it lacks for being asked; returns what was done."""
    notes = []
    if tokenizer.eos_token is not None and tokenizer.pad_token in (None, tokenizer.eos_token):
        # `require_complete` is for training, where an end token that also pads is never learned.
        tokenizer.pad_token = tokenizer.eos_token
        notes.append("its tokenizer has no pad token of its own; padding is masked, so nothing depends on it")
    if not tokenizer.chat_template and not tuned_here:  # what we tuned has one, unless it was lost
        # A tokenizer that opens every text with its start token was trained to see one.
        opens = tokenizer.bos_token_id is not None and tokenizer("A")["input_ids"][:1] == [tokenizer.bos_token_id]
        tokenizer.chat_template = ("{{- bos_token }}" if opens else "") + alpaca()
        notes.append("its tokenizer has no chat template: asked with the Alpaca one, which it was not tuned on")
    elif not tuned_here and "enable_thinking" in tokenizer.chat_template:
        # An answer is scored right behind the prompt, where such a model would begin to think aloud.
        tokenizer.chat_template = "{%- set enable_thinking = false %}" + tokenizer.chat_template
        notes.append("asked with thinking switched off")
    require_complete(tokenizer, where, own_pad=False)
    return notes


def is_head(path: str) -> bool:
    """Whether a folder holds a sequence classifier instead of a language model."""
    if not (Path(path) / "config.json").is_file() or (Path(path) / ADAPTER_FILE).is_file():
        return False
    names = (read_json(Path(path) / "config.json") or {}).get("architectures") or []
    return any(name.endswith("ForSequenceClassification") for name in names)


def open_head(path: str, name: str, tokenizer: PreTrainedTokenizerFast) -> Candidate:
    """A classifier folder: one output per answer, named by `id2label`; it reads the sequence alone.

    Raises:
        InputError: unnamed outputs, missing weights, a tokenizer of another model.
    """
    config = AutoConfig.from_pretrained(path, trust_remote_code=False)
    answers = [config.id2label[k] for k in range(config.num_labels)]
    if answers == [f"LABEL_{k}" for k in range(config.num_labels)]:
        raise InputError(
            f"{path}/config.json: the outputs of the classification head have no names ({answers}). Write the answers "
            "of the task under id2label."
        )
    model = load_head(path)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if model.config.pad_token_id is None:  # tells the model where a row ends
        model.config.pad_token_id = tokenizer.pad_token_id
    check_rows(model, tokenizer, path)
    folder = Path(path)
    loaded = Loaded(
        model=model.to(device()).eval(), tokenizer=tokenizer, path=path,
        tasks=tasks_in(folder),
        task_facts=read_task_facts(folder / "tasks.json"), manifest=read_json(folder / FILE_NAME),
    )  # fmt: skip
    return Candidate(name, loaded, "", answers, ["a classification head: it reads the sequence alone and cannot write"])


def head_scores(candidate: Candidate, texts: list[str], options: list[str], batch_size: int = 32) -> np.ndarray:
    """Log-probability of each option by a classification head, (N, K).

    Raises:
        InputError: a text longer than the model's context, or NaN.
    """
    model, tokenizer = candidate.loaded.model, candidate.loaded.tokenizer
    ids = tokenizer(texts)["input_ids"]
    limit = context_of(model)
    longest = max(range(len(ids)), key=lambda i: len(ids[i]))
    if len(ids[longest]) > limit:
        raise InputError(
            f"row {longest + 1} of {len(ids)}: {len(ids[longest])} tokens exceed the {limit} the model can see; "
            "nothing was cut."
        )
    order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
    result = np.empty((len(ids), len(options)))
    columns = [candidate.head.index(option) for option in options]
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        batch = tokenizer.pad({"input_ids": [ids[i] for i in rows]}, padding_side="right", return_tensors="pt")
        with torch.inference_mode():
            logits = model(**batch.to(model.device)).logits.float()
        result[rows] = logits.log_softmax(dim=1)[:, columns].cpu().numpy()
    if not np.isfinite(result).all():
        raise InputError(f"{candidate.loaded.path}: the model gives NaN; its weights are broken.")
    return result


def weights_sha256(path: str) -> str | None:
    """One hash over the weight files of a folder, None for a name on the hub."""
    files = sorted(p for p in Path(path).glob("*") if p.suffix in (".safetensors", ".bin") and "args" not in p.name)
    if not files:
        return None
    return sha256(files[0]) if len(files) == 1 else hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()
