"""corpus/train -> tokenizer/: one byte-level BPE for DNA and English, with the chat template inside.

DNA runs are cut out of the text before BPE and into pieces of a fixed number of bases, so no token holds both prose
and DNA and none is longer than asked. All other text is split as GPT-2 splits it. The definition that trains is saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnahlm.io import InputError, open_text, shipped, staged_folder
from dnahlm.manifest import StageClock, read_manifest, write_manifest
from dnahlm.readers.corpus import count_rows, read_corpus
from dnahlm.tokenizer.load import fingerprint
from dnahlm.tokenizer.report import write_report

if TYPE_CHECKING:
    from tokenizers.pre_tokenizers import PreTokenizer
    from transformers import PreTrainedTokenizerFast

END_TOKEN, PAD_TOKEN = "<|endoftext|>", "<|pad|>"
SMALLEST_VOCABULARY = 256 + 2  # every byte, end and pad
LOW_SHARE = 0.01  # of characters: below it a kind hardly shapes the vocabulary


@dataclass
class TokenizerConfig:
    """Settings of `dnahlm tokenizer train`."""

    corpus: str = field(metadata={"help": "folder written by `dnahlm corpus build`"})
    output: str = field(metadata={"help": "folder to write the tokenizer to"})
    vocab_size: int = field(default=8192, metadata={"help": "tokens in the vocabulary, special tokens included"})
    min_dna_run: int = field(default=8, metadata={"help": "bases; shorter runs of ACGTN are treated as English"})
    max_dna_token: int = field(default=8, metadata={"help": "bases; the longest DNA token allowed"})
    prompt_share: float = field(
        default=0.1,
        metadata={"help": "the prompt template and the task files count as this share of the characters, so that the "
                  "words of a question become whole tokens; 0 = only the corpus"},
    )  # fmt: skip
    tasks: list[str] = field(
        default_factory=list,
        metadata={"help": "the task files that prompt_share counts, ids or paths; empty = all shipped ones"},
    )
    seed: int = field(default=0, metadata={"help": "goes to the manifest; training itself draws nothing at random"})
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def run(config: TokenizerConfig) -> dict[str, Any]:
    """corpus/ -> tokenizer/ with tokenizer.json, chat_template.jinja, report.json and manifest.json.

    Raises:
        InputError: no finished corpus, a vocabulary too small for bytes, or an output in the way.
    """
    clock = StageClock()
    check_sizes(config.vocab_size, config.min_dna_run, config.max_dna_token)
    if not 0 <= config.prompt_share < 1:
        raise InputError(f"prompt_share: {config.prompt_share}; must be at least 0 and below 1.")
    read_manifest(config.corpus, "corpus build")
    prompts = prompt_files(config.tasks)
    counts = {"documents": 0, "dna_characters": 0, "text_characters": 0}
    with staged_folder(config.output, config.overwrite, [config.corpus]) as part:
        texts = chain(count_texts(config.corpus, counts), prompt_texts(config.prompt_share, prompts, counts))
        tokenizer = train_bpe(texts, config.vocab_size, config.min_dna_run, config.max_dna_token)
        warn_of_missing_kind(counts)
        tokenizer.save_pretrained(part)
        report = write_report(tokenizer, config.corpus, part / "report.json", config.min_dna_run)
        counts["vocab_size"] = len(tokenizer)
        manifest = write_manifest(
            part, "tokenizer train", config, clock, {"corpus": config.corpus}, counts,
            tokenizer_sha256=fingerprint(tokenizer), report=report,
        )  # fmt: skip
    if len(tokenizer) < config.vocab_size:
        print(f"the corpus gave only {len(tokenizer):,} of the {config.vocab_size:,} tokens asked for")
    print(
        f"trained {len(tokenizer):,} tokens on {counts['documents']:,} documents "
        f"({counts['dna_characters'] / 1e6:.1f} M bases, {counts['text_characters'] / 1e6:.1f} M English characters); "
        f"{report['bases_per_dna_token'] or 0:.2f} bases per DNA token, "
        f"{report['bytes_per_english_token'] or 0:.2f} bytes per English token -> {config.output}"
    )
    return manifest


def count_texts(corpus: str, counts: dict[str, int]) -> Iterator[str]:
    """Yield the training texts of a corpus behind a progress bar, adding to `counts` on the way."""
    from tqdm import tqdm

    with tqdm(total=count_rows(corpus, "train"), desc="tokenizer", unit="document", disable=None) as bar:
        for kinds, texts in read_corpus(corpus, "train"):
            for kind, text in zip(kinds, texts, strict=True):
                counts["documents"] += 1
                counts[f"{kind}_characters"] += len(text)
                yield text
            bar.update(len(texts))


def prompt_files(tasks: list[str]) -> list[str]:
    """The texts of task files: of these (shipped ids or paths), or of all shipped ones.

    Raises:
        InputError: no such task.
    """
    shipped_files = {path.stem: path for path in sorted((shipped("data_templates") / "tasks").glob("*.yaml"))}
    paths = [shipped_files.get(name, Path(name)) for name in tasks] or list(shipped_files.values())
    for path in paths:
        if not path.is_file():
            raise InputError(f"tasks: {path} is neither a shipped task nor a file. `dnahlm tasks list` names them.")
    return [path.read_text(encoding="utf-8") for path in paths]


def prompt_texts(share: float, tasks: list[str], counts: dict[str, int]) -> Iterator[str]:
    """Yield the shipped prompt template and task files, repeated until they are `share` of all characters.

    Must be read after the corpus, whose characters `counts` then holds. Without it, a question in a small vocabulary
    costs more tokens than the sequence it asks about.
    """
    template = (shipped("data_templates") / "prompts" / "alpaca.jinja").read_text(encoding="utf-8")
    wanted = share / (1 - share) * (counts["dna_characters"] + counts["text_characters"])
    # Half of it is the template: its words are in every question.
    for name, texts in (("template_repeats", [template]), ("task_file_repeats", tasks)):
        counts[name] = round(wanted / 2 / sum(map(len, texts)))
        for _ in range(counts[name]):
            yield from texts


def warn_of_missing_kind(counts: dict[str, int]) -> None:
    """Print a warning when DNA or English is (almost) absent from what the tokenizer saw."""
    total = counts["dna_characters"] + counts["text_characters"]
    for kind, name in (("dna", "DNA"), ("text", "English")):
        share = counts[f"{kind}_characters"] / total if total else 0.0
        if share < LOW_SHARE:
            print(f"warning: only {share:.1%} of the training characters are {name}; {name} will cost many tokens")


def check_sizes(vocab_size: int, min_dna_run: int, max_dna_token: int) -> None:
    """Raise `InputError` for sizes that cannot give a tokenizer."""
    if vocab_size < SMALLEST_VOCABULARY:
        raise InputError(
            f"vocab_size: {vocab_size} is too small; 256 bytes and 2 special tokens need {SMALLEST_VOCABULARY}. "
            "Choose 512 or more."
        )
    for name, value in (("min_dna_run", min_dna_run), ("max_dna_token", max_dna_token)):
        if value < 1:
            raise InputError(f"{name}: {value} bases; must be 1 or more.")


def split_dna(min_dna_run: int, max_dna_token: int) -> PreTokenizer:
    """The splitter: isolate DNA runs of at least `min_dna_run` letters in pieces of `max_dna_token`, the rest as GPT-2.

    >>> [piece for piece, _ in split_dna(8, 4).pre_tokenize_str("say ACGTACGTA or CAT")]
    ['say', 'Ġ', 'ACGT', 'ACGT', 'A', 'Ġor', 'ĠCAT']
    """
    from tokenizers import Regex, pre_tokenizers

    # A piece starts where a long enough run starts, or (\G) where the piece before it ended inside the run.
    run_start = rf"(?<![ACGTN])(?=[ACGTN]{{{min_dna_run}}})"
    pieces = Regex(rf"(?:{run_start}|\G(?<=[ACGTN]))[ACGTN]{{1,{max_dna_token}}}")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    return pre_tokenizers.Sequence([pre_tokenizers.Split(pieces, "isolated"), byte_level])


def train_bpe(texts: Iterable[str], vocab_size: int, min_dna_run: int, max_dna_token: int) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE on `texts`; the same texts in the same order give the same tokenizer.

    Args:
        texts: documents, DNA already in upper case; long ones (over about 10,000 letters) make training slow.
        vocab_size: V, special tokens included; fewer come out when the texts hold fewer different pieces.
        min_dna_run: bases from which a run of ACGTN counts as DNA.
        max_dna_token: bases; cap on a DNA token.

    Raises:
        InputError: a size that cannot work, or the chat template of the package is missing.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    check_sizes(vocab_size, min_dna_run, max_dna_token)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = split_dna(min_dna_run, max_dna_token)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),  # every byte: nothing is ever unknown
        special_tokens=[END_TOKEN, PAD_TOKEN],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END_TOKEN, eos_token=END_TOKEN, pad_token=PAD_TOKEN,
        clean_up_tokenization_spaces=False,
    )  # fmt: skip
    with open_text(shipped("data_templates") / "prompts" / "alpaca.jinja", "the package's chat template") as handle:
        fast.chat_template = handle.read()
    return fast
