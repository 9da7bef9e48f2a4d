"""Does `torch.compile` pay in label scoring? Our scorer with and without it, the same model and rows, one process.

python eval/benchmarks/compiled_scoring.py --rows 2000 --bases 70

Rows of one length, so that a compiled graph meets few shapes: the best case for it. A run of the same rows before the
timed ones compiles; its seconds are told apart. Our oneDNN layers cannot be compiled: the compiled model goes without.
"""

import argparse
import random
import time

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from dnahlm.inference import arithmetic
from dnahlm.inference.arithmetic import faster, in_bf16
from dnahlm.inference.scorer import score
from dnahlm.tasks.prompt import render_prompts
from dnahlm.tokenizer.bpe import train_bpe

SIZES = {"5M": (256, 6, 4), "124M": (768, 12, 12)}  # width, layers, heads
HAS_ONEDNN = arithmetic.has_onednn
QUESTION = "Is this DNA sequence a promoter? Answer with promoter or non-promoter."


def main() -> None:
    """Print one line per model, precision and way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--bases", type=int, default=70)
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--precisions", nargs="*", default=["fp32", "bf16"], choices=["fp32", "bf16"])
    args = parser.parse_args()
    rng = random.Random(0)
    dna = ["".join(rng.choices("ACGT", k=args.bases)) for _ in range(args.rows)]
    tokenizer = train_bpe([QUESTION * 9, *dna[:200]], vocab_size=1024, min_dna_run=8, max_dna_token=8)
    prompts = render_prompts(tokenizer, [QUESTION] * len(dna), dna)
    for size in args.sizes:
        for precision in args.precisions:
            for way in ("eager", "compile", "compile, dynamic shapes"):
                arithmetic.has_onednn = HAS_ONEDNN
                model = build(size, precision, len(tokenizer))
                if way != "eager":
                    torch._dynamo.reset()
                    arithmetic.has_onednn = lambda: False
                    model.forward = torch.compile(model.forward, dynamic=True if "dynamic" in way else None)
                first, rest = timed(model, tokenizer, prompts), timed(model, tokenizer, prompts)
                print(
                    f"{size} {precision} {way}: first pass {first:.1f} s, then {len(dna) / rest:.0f} rows/s", flush=True
                )


def build(size: str, precision: str, vocab_size: int) -> GPT2LMHeadModel:
    """A random GPT-2 as `inference.load` would hand it out."""
    width, layers, heads = SIZES[size]
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=vocab_size, n_positions=1024, n_embd=width, n_layer=layers, n_head=heads)
    model = GPT2LMHeadModel(config).eval()
    return faster(in_bf16(model) if precision == "bf16" else model)


def timed(model: GPT2LMHeadModel, tokenizer: object, prompts: list[str]) -> float:
    """Seconds of one pass over all rows."""
    start = time.perf_counter()
    score(model, tokenizer, prompts, ["promoter", "non-promoter"])
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
