"""What `dnahlm tokenizer extend` gains and costs: bases per token and speed of a base and its extensions.

    python eval/benchmarks/extend.py --corpus runs/tiny/corpus --base gpt2

Without --base, a byte-level BPE in the layout of GPT-2 is trained on the English of the corpus. All of them encode
the held-out split of the corpus in one process and one thread, in turns, and the best of three is printed as one
Markdown row each. MB are of text.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one thread

from dnahlm.readers.corpus import read_corpus
from dnahlm.tokenizer.extend import ExtendConfig, run
from dnahlm.tokenizer.load import read_tokenizer, token_ids


def texts_of(corpus: str, split: str, kind: str) -> list[str]:
    """The documents of one kind in a split."""
    batches = read_corpus(corpus, split)
    return [text for kinds, texts in batches for found, text in zip(kinds, texts, strict=True) if found == kind]


def train_base(corpus: str, folder: Path, vocab_size: int) -> None:
    """A tokenizer in the layout of GPT-2, from the English of a corpus."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    end = "<|endoftext|>"
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=alphabet, special_tokens=[end], show_progress=False
    )
    tokenizer.train_from_iterator(texts_of(corpus, "train", "text"), trainer)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=end).save_pretrained(folder)


def main() -> None:
    """Extend, encode, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--base", default="", help="folder or hub name; empty = train one")
    parser.add_argument("--vocab_size", type=int, default=20000, help="of the base that is trained")
    parser.add_argument("--dna_tokens", type=int, nargs="+", default=[1024, 4096, 16384])
    args = parser.parse_args()
    dna, text = (texts_of(args.corpus, "validation", kind) for kind in ("dna", "text"))
    size = {"dna": sum(map(len, dna)), "text": sum(len(t.encode()) for t in text)}
    with tempfile.TemporaryDirectory() as folder:
        base = args.base or f"{folder}/base"
        if not args.base:
            train_base(args.corpus, Path(base), args.vocab_size)
        tokenizers = {"base": read_tokenizer(base)}
        for n in args.dna_tokens:
            run(ExtendConfig(base=base, corpus=args.corpus, output=f"{folder}/{n}", dna_tokens=n))
            tokenizers[f"+ {n:,} DNA tokens"] = read_tokenizer(f"{folder}/{n}")
        print(f"\nheld out: {size['dna']:,} bases, {size['text']:,} bytes of English")
        print("| tokenizer | entries | bases per token | bytes per English token | DNA, MB/s | English, MB/s |")
        print("|---|---|---|---|---|---|")
        seconds: dict[tuple[str, str], list[float]] = {}
        tokens: dict[tuple[str, str], int] = {}
        for _ in range(3):
            for name, tokenizer in tokenizers.items():
                for kind, texts in (("dna", dna), ("text", text)):
                    start = time.perf_counter()
                    tokens[name, kind] = sum(map(len, token_ids(tokenizer, texts)))
                    seconds.setdefault((name, kind), []).append(time.perf_counter() - start)
        for name, tokenizer in tokenizers.items():
            rates = [size[kind] / 1e6 / min(seconds[name, kind]) for kind in ("dna", "text")]
            lengths = [size[kind] / tokens[name, kind] for kind in ("dna", "text")]
            figures = " | ".join(f"{value:.2f}" for value in (*lengths, *rates))
            print(f"| {name} | {len(tokenizer):,} | {figures} |")


if __name__ == "__main__":
    main()
