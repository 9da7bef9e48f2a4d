"""Time, memory and quality of tokenizer training, speed of encoding, and round trips, each beside the bare library.

    python eval/benchmarks/tokenizer.py --data ../shared/data                      # 300 MB of text, 50,000 entries
    python eval/benchmarks/tokenizer.py --data ../shared/data --megabytes 30 --fuzz 2000
    python eval/benchmarks/tokenizer.py --data ../shared/data --megabytes 3000 --parts ours       # does memory stay?

Parts: `reference` hands all of it to the byte-level BPE trainer of `tokenizers`, DNA in lines of 500 bases; `ours` is
`dnahlm tokenizer train`; `share` the same with `--dna_share 0.55`; `encode` measures encoding with the tokenizer of
`ours` (or of `reference`); `fuzz` trains every kind on a little text and takes random strings to ids and back.
The text is simulated (see tokenizer_data.py), the held-out text comes from the same source. Each side runs in a process
of its own; memory is the peak that the kernel reports for it. Prints Markdown tables.
"""

import argparse
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import tokenizer_data

from dnahlm.readers.corpus import read_corpus
from dnahlm.tokenizer.load import load_tokenizer, token_ids
from dnahlm.tokenizer.wrap import SPECIAL_TOKENS, wrap

LINE = 500  # bases
ENCODED = 8_000_000  # characters
KINDS = {
    "bpe": (), "bpe, DNA in fixed pieces": ("--max_dna_token", "6", "--max_dna_piece", "6"),
    "bpe, <dna> markers": ("--dna_markers", "true"), "char": (), "kmer": ("--k", "4"),
    "kmer_overlapping": ("--k", "3"), "sentencepiece_bpe": (), "sentencepiece_unigram": ("--sample_bases", "300000"),
}  # fmt: skip


def main() -> None:
    """Run the parts asked for, or be one side of the comparison."""
    if sys.argv[1:2] == ["side"]:
        SIDES[sys.argv[2]](*sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with genome/human_genomic.fa.gz and english/*.gz")
    parser.add_argument("--megabytes", type=float, default=300, help="of mixed text, half of it DNA")
    parser.add_argument("--vocab_size", type=int, default=50_000)
    parser.add_argument("--fuzz", type=int, default=100_000, help="strings of each sort and kind")
    parser.add_argument("--parts", nargs="*", default=["reference", "ours", "share", "encode", "fuzz"])
    parser.add_argument("--output", help="folder to keep; empty = a temporary one. A corpus already there is used")
    args = parser.parse_args()
    root = Path(args.output or tempfile.mkdtemp())
    print(f"{platform.platform()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}; {args.megabytes:g} MB\n")
    corpus = root / f"corpus_{args.megabytes:g}"
    if not corpus.exists():
        measured([*SIDE, "data", corpus, args.data, args.megabytes])
    training = [part for part in ("reference", "ours", "share") if part in args.parts]
    if training:
        compare(training, corpus, root, args.vocab_size)
    if "encode" in args.parts:
        chosen = next(root / part for part in ("ours", "share", "reference") if (root / part).exists())
        measured([*SIDE, "encode", corpus, chosen])
    if "fuzz" in args.parts:
        small = root / "corpus_2"
        if not small.exists():
            measured([*SIDE, "data", small, args.data, 2])
        print("\n| kind | strings | came back | not: the first |\n|---|---|---|---|", flush=True)
        for number, (kind, options) in enumerate(KINDS.items()):
            folder = root / f"fuzz_{number}"
            if not folder.exists():
                train = [*DNAHLM, "--kind", kind.split(",")[0], "--vocab_size", 2000, *options]
                measured([*train, "--corpus", small, "--output", folder], quiet=True)
            measured([*SIDE, "fuzz", folder, kind, args.fuzz])


def compare(parts: list[str], corpus: Path, root: Path, vocab_size: int) -> None:
    """Train the sides and print the table."""
    common = ["--corpus", corpus, "--vocab_size", vocab_size, "--prompt_share", 0, "--overwrite", "true"]
    commands = {
        "reference": [*SIDE, "reference", corpus, root / "reference", vocab_size],
        "ours": [*DNAHLM, *common, "--output", root / "ours"],
        "share": [*DNAHLM, *common, "--output", root / "share", "--dna_share", 0.55],
    }
    rows = []
    for part in parts:
        seconds, cpu, peak = measured(commands[part])
        bases, english, dna = quality(load_tokenizer(root / part), corpus)
        rows.append((part, seconds, cpu, peak, bases, english, dna))
    print("\n| side | seconds | CPU seconds | peak GB | bases per token | English bytes per token | DNA entries |")
    print("|---|---|---|---|---|---|---|")
    for part, seconds, cpu, peak, bases, english, dna in rows:
        print(f"| {part} | {seconds:.0f} | {cpu:.0f} | {peak:.2f} | {bases:.4f} | {english:.4f} | {dna:,} |")
    for part, seconds, _, peak, bases, english, _ in rows[1:] if rows[0][0] == "reference" else []:
        _, first_seconds, _, first_peak, first_bases, first_english, _ = rows[0]
        print(
            f"\n{part} beside the reference: {first_seconds / seconds:.1f} times less time, {first_peak / peak:.1f} "
            f"times less memory, bases per token {bases / first_bases - 1:+.2%}, "
            f"English bytes per token {english / first_english - 1:+.2%}"
        )


def measured(command: list[object], quiet: bool = False) -> tuple[float, float, float]:
    """Run a process; seconds, CPU seconds and peak resident memory in GB."""
    started = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL if quiet else None)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))}: status {status}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20


def reference(corpus: str, folder: str, vocab_size: str) -> None:
    """All of the text in one training by the library, DNA in lines."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    def lines() -> Iterator[str]:
        for kinds, texts in read_corpus(corpus, "train"):
            for kind, text in zip(kinds, texts, strict=True):
                yield from (text[i : i + LINE] for i in range(0, len(text), LINE)) if kind == "dna" else (text,)

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=int(vocab_size), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=SPECIAL_TOKENS, show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(lines(), trainer)
    wrap(tokenizer).save_pretrained(folder)


def quality(tokenizer: object, corpus: Path) -> tuple[float, float, int]:
    """Bases per DNA token and bytes per English token on held-out text, and entries of DNA letters alone."""
    sizes, tokens = {"dna": 0, "text": 0}, {"dna": 0, "text": 0}
    for kinds, texts in read_corpus(corpus, "validation"):
        for kind, text, ids in zip(kinds, texts, token_ids(tokenizer, texts), strict=True):
            sizes[kind] += len(text.encode())
            tokens[kind] += len(ids)
    dna = sum(set(token) <= set("ACGTN") for token in tokenizer.get_vocab())
    return sizes["dna"] / tokens["dna"], sizes["text"] / tokens["text"], dna


def encode(corpus: str, folder: str) -> None:
    """Encoding speed of the bare library, through `datasets.map`, and as `dnahlm corpus pack` does it."""
    import datasets

    from dnahlm.corpus.pack import tokenised

    datasets.disable_progress_bars()
    datasets.disable_caching()
    tokenizer = load_tokenizer(folder)
    texts = [text for _, batch in read_corpus(corpus, "validation") for text in batch]
    size = sum(map(len, texts))
    table = datasets.Dataset.from_dict({"text": texts})
    bare = tokenizer.backend_tokenizer

    def mapped(function: Callable[[list[str]], list[list[int]]]) -> None:
        table.map(lambda batch: {"input_ids": function(batch["text"])}, batched=True, remove_columns=["text"])

    def batches(function: Callable[..., object]) -> None:
        for start in range(0, len(texts), 1000):
            [encoding.ids for encoding in function(texts[start : start + 1000], add_special_tokens=False)]

    counts = dict.fromkeys(("documents", "tokens", "bases", "dna_tokens", "english_bytes", "english_tokens"), 0)
    ways = {
        "`tokenizers`: encode_batch": lambda: batches(bare.encode_batch),
        "`tokenizers`: encode_batch_fast": lambda: batches(bare.encode_batch_fast),
        "datasets.map with `token_ids` of dnahlm": lambda: mapped(lambda batch: token_ids(tokenizer, batch)),
        "datasets.map with the tokenizer called": lambda: mapped(
            lambda batch: tokenizer(batch, add_special_tokens=False)["input_ids"]
        ),
        "reading and encoding of `corpus pack`": lambda: list(tokenised(corpus, "validation", None, tokenizer, counts)),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(4):  # in turn, so that what else the machine does hits all alike; the first round warms up
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - started)
    print("\n| encoding, best of 3 | million characters a second | of encode_batch |\n|---|---|---|")
    first = min(times["`tokenizers`: encode_batch"][1:])
    for name, seconds in times.items():
        print(f"| {name} | {size / min(seconds[1:]) / 1e6:.2f} | {first / min(seconds[1:]):.0%} |")


def fuzz(folder: str, kind: str, n: str) -> None:
    """Take random strings to ids and back."""
    tokenizer = load_tokenizer(folder)
    rng = random.Random(0)
    marks = ["<dna>", "</dna>", *SPECIAL_TOKENS, "\n", " ", "<0x0A>", "### Input:\n"]

    def unicode() -> str:
        codes = (rng.randrange(0x110000 if rng.random() < 0.3 else 0x250) for _ in range(rng.randrange(60)))
        return "".join(chr(c) for c in codes if not 0xD800 <= c < 0xE000)

    def dna() -> str:
        return "".join(rng.choices("ACGTN", (30, 30, 30, 30, 1), k=rng.randrange(200)))

    sorts = {
        "random bytes (as Latin-1)": lambda: rng.randbytes(rng.randrange(60)).decode("latin-1"),
        "Unicode": unicode,
        "DNA": dna,
        "mixed": lambda: "".join(rng.choice([unicode, dna, lambda: rng.choice(marks)])() for _ in range(4)),
    }
    for sort, make in sorts.items():
        texts = [make() for _ in range(int(n))]
        if kind.startswith("sentencepiece"):
            texts = [text.replace("▁", "") for text in texts]  # the one character these kinds do not promise
        ids = [i for start in range(0, len(texts), 1000) for i in token_ids(tokenizer, texts[start : start + 1000])]
        back = tokenizer.backend_tokenizer.decode_batch(ids, skip_special_tokens=False)
        wrong = [text for text, other in zip(texts, back, strict=True) if text != other]
        print(f"| {kind} | {sort} | {len(texts) - len(wrong):,} of {len(texts):,} | {wrong[:1]} |", flush=True)


def data(folder: str, source: str, megabytes: str) -> None:
    """Write the corpus."""
    tokenizer_data.write_corpus(Path(folder), Path(source), float(megabytes))


SIDE = [sys.executable, __file__, "side"]
DNAHLM = [sys.executable, "-m", "dnahlm", "tokenizer", "train"]
SIDES = {"data": data, "reference": reference, "encode": encode, "fuzz": fuzz}

if __name__ == "__main__":
    main()
