"""checkpoint + tokenizer/ -> a checkpoint that fits: rows, room for the context; English measured before and after."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.io import InputError, staged_folder
from dnahlm.manifest import FILE_NAME, StageClock, read_json, read_manifest, write_manifest
from dnahlm.model.context import lengthen
from dnahlm.model.create import UNLIMITED, context_of, keep_splitter
from dnahlm.model.english import LONGEST_WINDOW, bits_per_byte, sample
from dnahlm.model.load import check_rows, load_checkpoint
from dnahlm.model.transplant import n_ids, transplant
from dnahlm.readers.corpus import read_corpus
from dnahlm.tokenizer.load import fingerprint, load_tokenizer, read_tokenizer


@dataclass
class FitConfig:
    """Settings of `dnahlm model fit`."""

    model_name_or_path: str = field(metadata={"help": "checkpoint: a folder with its own tokenizer, or a hub name"})
    tokenizer: str = field(metadata={"help": "tokenizer folder the checkpoint is to be fitted to"})
    output: str = field(metadata={"help": "folder to write the checkpoint to"})
    corpus: str | None = field(
        default=None, metadata={"help": "corpus whose held-out English is measured before and after; empty = none"}
    )
    new_token_init: str = field(
        default="subtoken_mean", metadata={"help": "how rows of new tokens start: subtoken_mean, mean or random"}
    )
    context: int | None = field(default=None, metadata={"help": "tokens the model is to see; empty = as many as now"})
    longer_context: str | None = field(
        default=None, metadata={"help": "how positions are added for a longer context: copy or interpolate"}
    )
    seed: int = field(default=0, metadata={"help": "draws the noise of the new rows"})
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def run(config: FitConfig) -> dict[str, Any]:
    """Write the fitted checkpoint with its new tokenizer and a manifest.

    Raises:
        InputError: a checkpoint and tokenizers that do not belong together, or an output in the way.
    """
    clock = StageClock()
    inputs = {"checkpoint": config.model_name_or_path, "tokenizer": config.tokenizer}
    english: list[str] = []
    if config.corpus:
        read_manifest(config.corpus, "corpus build")
        inputs["corpus"] = config.corpus
        english = sample(english_of(config.corpus))
    tokenizer = load_tokenizer(config.tokenizer)
    with staged_folder(config.output, config.overwrite, inputs.values()) as part:
        model = load_checkpoint(config.model_name_or_path)
        had = context_of(model)
        context = had if config.context is None else config.context
        if context > max(had, UNLIMITED):
            raise InputError(f"context: {context:,} tokens; must be at most {UNLIMITED:,}.")
        if context < had:
            raise InputError(
                f"context: {context:,} tokens, but {config.model_name_or_path} sees {had:,} already. A model is not "
                "shortened: leave context out and pack shorter blocks."
            )
        model, facts = fit(
            model, config.model_name_or_path, tokenizer, config.tokenizer, context,
            config.longer_context, config.new_token_init, english, config.seed,
        )  # fmt: skip
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        manifest = write_manifest(
            part, "model fit", config, clock, inputs, facts["embedding_rows"] | {"parameters": model.num_parameters()},
            start=facts, tokenizer_sha256=fingerprint(tokenizer),
        )  # fmt: skip
    print(summary(facts) + f" -> {config.output}")
    return manifest


def english_of(corpus: str) -> Iterator[str]:
    """Yield the held-out English documents of a corpus."""
    for kinds, texts in read_corpus(corpus, "validation"):
        yield from (text for kind, text in zip(kinds, texts, strict=True) if kind == "text")


def fit(
    model: PreTrainedModel,
    name: str,
    tokenizer: PreTrainedTokenizerFast,
    tokenizer_path: str,
    context: int,
    longer_context: str | None,
    new_token_init: str,
    english: list[str],
    seed: int,
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """The model with rows for `tokenizer` and room for `context` tokens, and what was done.

    Args:
        model: as loaded from `name`.
        name: checkpoint folder or hub name, which holds the tokenizer the model was trained with.
        tokenizer: the one it will be trained with; where it turns every text into the same ids, no row changes. Its
            `model_max_length`, which programs that serve a model obey, grows with the context.
        tokenizer_path: where that lies.
        context: T tokens; fewer than the model sees are no change.
        longer_context: `copy` or `interpolate`, or None to refuse a longer context.
        new_token_init: see `transplant`.
        english: texts to measure on, none for no figures.
        seed: draws the noise of the new rows.

    Returns:
        the model (another object where the context grew), and facts: `embedding_rows`, `context` and, if measured,
        `english`.

    Raises:
        InputError: a context too long, or a tokenizer or checkpoint that belongs to another one.
    """
    had = context_of(model)
    if context > had and longer_context is None:
        raise InputError(
            f"{name}: sees {had:,} tokens, but {context:,} are asked for. Choose no more (block_size, where blocks are "
            "packed for it), or give longer_context (copy or interpolate)."
        )
    old = read_tokenizer(name)
    check_rows(model, old, name)
    new_rows, longer = fingerprint(old) != fingerprint(tokenizer), context > had
    if new_rows:
        check_base(Path(tokenizer_path), tokenizer, old, name)
    window = min(had, LONGEST_WINDOW)
    before = bits_per_byte(model, old, english, n_ids(old), window) if english else None
    if longer:
        model = lengthen(model, context, longer_context)
    rows = {"shared": n_ids(tokenizer), "new": 0}
    if new_rows:
        rows = transplant(model, old, tokenizer, new_token_init, seed)
    check_rows(model, tokenizer, name)
    keep_splitter(model, tokenizer)
    tokenizer.model_max_length = max(tokenizer.model_max_length, context_of(model))
    facts: dict[str, Any] = {"embedding_rows": rows, "context": context_of(model)}
    if before is not None:
        changed = new_rows or longer
        after = bits_per_byte(model, tokenizer, english, n_ids(old), window) if changed else before
        facts["english"] = {
            "bytes": sum(len(text.encode()) for text in english),
            "window_tokens": window,
            "bits_per_byte_before": before["old_tokens"],
            "bits_per_byte_after": after["all_tokens"],
            # Only where the ids of the English are the same does a loss among the old tokens mean anything.
            "bits_per_byte_after_among_old_tokens": after["old_tokens"] if keeps_ids(old, tokenizer) else None,
        }
    return model, facts


def check_base(
    tokenizer_path: Path, tokenizer: PreTrainedTokenizerFast, old: PreTrainedTokenizerFast, name: str
) -> None:
    """Raise `InputError` when a tokenizer is not its manifest's, or was extended from another than the checkpoint's."""
    manifest = read_json(tokenizer_path / FILE_NAME) or {}
    if manifest.get("tokenizer_sha256") not in (None, fingerprint(tokenizer)):
        raise InputError(
            f"{tokenizer_path}: tokenizer.json is not the one that its {FILE_NAME} names, so the two are of different "
            "runs. Copy the folder again, or write it anew."
        )
    extended_from = manifest.get("base_sha256")
    if extended_from and extended_from != fingerprint(old):
        raise InputError(
            f"{tokenizer_path}: was extended from another tokenizer than that of {name}, so its old ids mean other "
            "tokens there. Extend the tokenizer of this checkpoint: `dnahlm tokenizer extend --base` with its folder."
        )


def keeps_ids(old: PreTrainedTokenizerFast, new: PreTrainedTokenizerFast) -> bool:
    """Whether every old token has the id it had."""
    ids = new.get_vocab()
    return all(ids.get(token) == number for token, number in old.get_vocab().items())


def summary(facts: dict[str, Any]) -> str:
    """One line of facts for the terminal."""
    rows = facts["embedding_rows"]
    line = f"{rows['shared']:,} embedding rows kept, {rows['new']:,} new; context {facts['context']:,} tokens"
    english = facts.get("english")
    if english is None:
        return line
    among = english["bits_per_byte_after_among_old_tokens"]
    return line + (
        f"; {english['bytes']:,} bytes of held-out English cost {english['bits_per_byte_before']:.4f} bits per byte "
        f"before, {english['bits_per_byte_after']:.4f} after"
        + ("" if among is None else f" ({among:.4f} when only the old tokens share the probability)")
    )
