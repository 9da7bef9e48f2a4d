"""Rows per second of label scoring, beside one-by-one generation and lm-evaluation-harness, on the same checkpoint.

    python eval/benchmarks/scoring.py                          # GPT-2 of 5 M and 124 M random weights, 2,000 rows
    python eval/benchmarks/scoring.py --sizes 5M --rows 500    # one size, fewer rows
    python eval/benchmarks/scoring.py --seed_rows 200          # the one-by-one loop on the first 200 rows only
    python eval/benchmarks/scoring.py --model runs/tiny/sft    # a tuned checkpoint and the answers of its tasks
    python eval/benchmarks/scoring.py --stream_rows 20000 200000   # instead: memory and time per row of `predict`

Every row is one question about random DNA in the Alpaca prompt. The loop is one greedy `generate` of 8 tokens for each
row. lm-evaluation-harness (left out when `lm_eval` is not installed) runs its `hf` backend in float32 with automatic
batch size, on the same prompts and answers with their end-of-text; its search for the batch size is not timed. Rows
that agree have the same best answer as dnahlm in float32. Prints one Markdown table per checkpoint.
"""

import argparse
import importlib.util
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from dnahlm.inference.load import Loaded, load
from dnahlm.inference.predict import PredictConfig
from dnahlm.inference.predict import run as predict
from dnahlm.inference.scorer import score
from dnahlm.tasks.prompt import fill_phrasing, render_prompts
from dnahlm.tasks.spec import answers, asks_one_sequence, load_task
from dnahlm.tokenizer.bpe import train_bpe

# n_embd, n_layer, n_head, vocabulary rows
SHAPES = {"tiny": (32, 2, 2, 4096), "5M": (256, 5, 4, 4096), "124M": (768, 12, 12, 50257)}
TASKS = ("core_promoter", "splice_site")  # two and three answers
SEED_TOKENS = 8


def main() -> None:
    """Make the checkpoints and rows, run every engine, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--bases", type=int, default=100, help="of a row")
    parser.add_argument("--sizes", nargs="+", default=["5M", "124M"], choices=SHAPES)
    parser.add_argument("--model", help="a checkpoint folder instead of random weights")
    parser.add_argument("--seed_rows", type=int, help="rows of the one-by-one loop; all when not given")
    parser.add_argument("--wordings", type=int, default=1, help="different questions among the rows, 8 at most")
    parser.add_argument("--stream_rows", type=int, nargs="+", help="measure `predict` on files of so many rows")
    parser.add_argument("--stream_one", type=int, nargs=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.stream_one:
            stream_one(Path(folder), *arguments.stream_one, arguments.bases)
            return
        device = "GPU" if torch.cuda.is_available() else "CPU"
        print(f"{torch.get_num_threads()} threads, {device}, torch {torch.__version__}")
        if arguments.stream_rows:
            stream(arguments.stream_rows, arguments.bases)
            return
        for checkpoint in [arguments.model] if arguments.model else arguments.sizes:
            path = checkpoint if arguments.model else write_checkpoint(Path(folder) / checkpoint, checkpoint)
            compare(str(path), checkpoint, arguments)


def write_checkpoint(folder: Path, size: str) -> Path:
    """A GPT-2 with random weights and a tokenizer of DNA and English."""
    rng = random.Random(0)
    english = " ".join(phrasing for task in TASKS for phrasing in load_task(task).phrasings)
    dna = ["".join(rng.choices("ACGT", k=500)) for _ in range(400)]
    tokenizer = train_bpe([english, *dna], vocab_size=4096, min_dna_run=8, max_dna_token=8)
    width, layers, heads, vocab_size = SHAPES[size]
    eos = tokenizer.eos_token_id
    config = GPT2Config(
        vocab_size=vocab_size, n_positions=512, n_embd=width, n_layer=layers, n_head=heads,
        bos_token_id=eos, eos_token_id=eos, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    torch.manual_seed(0)
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def compare(path: str, name: str, arguments: argparse.Namespace) -> None:
    """Run every engine on every task's rows and print one table."""
    loaded, half = load(path), load(path, precision="bf16")
    plain = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval().to(loaded.model.device)
    plain = replace(loaded, model=plain)  # as the other engines open it
    print(f"\n{name}: {loaded.model.num_parameters() / 1e6:.1f} M parameters, rows of {arguments.bases} bases\n")
    print("| answers | engine | rows | seconds | rows/s | times the loop | rows that agree | share of each answer |")
    print("|---|---|---|---|---|---|---|---|")
    for prompts, options in questions(loaded, arguments):
        engines: dict[str, Callable[[list[str]], np.ndarray | None]] = {
            "generate, one by one": lambda p: generate_one_by_one(plain, p),
            "lm-evaluation-harness": lambda p, o=options: lm_eval_scores(plain, p, o),
            "dnahlm, fp32": lambda p, o=options: score(loaded.model, loaded.tokenizer, p, o),
            "dnahlm, bf16": lambda p, o=options: score(half.model, half.tokenizer, p, o),
        }
        exact = None
        rates: dict[str, float] = {}
        lines = []
        for engine, run in engines.items():
            if engine.startswith("lm") and not importlib.util.find_spec("lm_eval"):
                print(
                    "lm-evaluation-harness is left out: lm_eval is not installed (pip install lm_eval).",
                    file=sys.stderr,
                )
                continue
            asked = prompts[: arguments.seed_rows] if engine.startswith("generate") else prompts
            run(asked[:4])  # the first call of a library is slow, and lm_eval looks for its batch size
            started = time.perf_counter()
            scores = run(asked)
            seconds = time.perf_counter() - started
            rates[engine] = len(asked) / seconds
            lines.append((engine, len(asked), seconds, scores))
            exact = scores if engine == "dnahlm, fp32" else exact
        for engine, n, seconds, scores in lines:
            agree, shares = agreement(scores, exact)
            times = rates[engine] / rates["generate, one by one"]
            cells = [
                len(options),
                engine,
                f"{n:,}",
                f"{seconds:.1f}",
                f"{rates[engine]:.1f}",
                f"{times:.1f}",
                agree,
                shares,
            ]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)


def questions(loaded: Loaded, arguments: argparse.Namespace) -> list[tuple[list[str], list[str]]]:
    """Prompts and answers of the checkpoint's tasks with two and with three answers, else of two shipped tasks."""
    own = [spec for spec in loaded.tasks.values() if asks_one_sequence(spec)]
    specs = [next((s for s in own if len(answers(s)) == k), None) for k in (2, 3)]
    rng = random.Random(1)
    asked = []
    for spec in [s for s in specs if s] or map(load_task, TASKS):
        wordings = [fill_phrasing(p, answers(spec)) for p in spec.phrasings[: arguments.wordings]]
        dna = ["".join(rng.choices("ACGT", k=arguments.bases)) for _ in range(arguments.rows)]
        instructions = [wordings[i % len(wordings)] for i in range(len(dna))]
        asked.append((render_prompts(loaded.tokenizer, instructions, dna), answers(spec)))
    return asked


def generate_one_by_one(loaded: Loaded, prompts: list[str]) -> None:
    """A greedy continuation of 8 tokens for each prompt, each by itself."""
    tokenizer: PreTrainedTokenizerFast = loaded.tokenizer
    for prompt in prompts:
        inputs = tokenizer(prompt, return_tensors="pt", add_special_tokens=False).to(loaded.model.device)
        with torch.no_grad():
            output = loaded.model.generate(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], do_sample=False,
                max_new_tokens=SEED_TOKENS, pad_token_id=tokenizer.pad_token_id,
            )  # fmt: skip
        tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


def lm_eval_scores(loaded: Loaded, prompts: list[str], options: list[str]) -> np.ndarray:
    """(N, K) log-likelihoods of lm-evaluation-harness, up to what all options of a prompt share."""
    from lm_eval.api.instance import Instance

    engine = lm_eval_engine(loaded)
    requests = [
        Instance("loglikelihood", {}, (prompt, option + loaded.tokenizer.eos_token), k, (None, None, None))
        for prompt in prompts
        for k, option in enumerate(options)
    ]
    found = engine.loglikelihood(requests, disable_tqdm=True)
    return np.array([value for value, _ in found]).reshape(len(prompts), len(options))


_ENGINES: dict[int, object] = {}


def lm_eval_engine(loaded: Loaded) -> object:
    """One engine per checkpoint, which keeps the batch size it has found."""
    from lm_eval.models.huggingface import HFLM

    if id(loaded) not in _ENGINES:
        _ENGINES[id(loaded)] = HFLM(
            pretrained=loaded.model, tokenizer=loaded.tokenizer, batch_size="auto", add_bos_token=False
        )
    return _ENGINES[id(loaded)]


def agreement(scores: np.ndarray | None, exact: np.ndarray) -> tuple[str, str]:
    """Share of rows with the same best answer as the exact scores, and how often each answer is the best."""
    if scores is None:
        return "", ""
    best = scores.argmax(axis=1)
    shares = np.bincount(best, minlength=scores.shape[1]) / len(best)
    return f"{(best == exact.argmax(axis=1)).mean():.2%}", ", ".join(f"{share:.2f}" for share in shares)


def stream(sizes: list[int], bases: int) -> None:
    """`predict` on files of several sizes, each in a process of its own, whose peak memory is its own too."""
    print("\n| rows | seconds of the answers | ms/row | peak memory MB |")
    print("|---|---|---|---|")
    for rows in sizes:
        command = [sys.executable, __file__, "--stream_one", str(rows), "--bases", str(bases)]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        print(answer.stdout.splitlines()[-1], flush=True)


def stream_one(folder: Path, rows: int, bases: int) -> None:
    """Answer a FASTA file of so many random records with a tiny model."""
    model = write_checkpoint(folder / "model", "tiny")
    rng = random.Random(2)
    with (folder / "rows.fa").open("w") as handle:
        for i in range(rows):
            handle.write(f">record_{i}\n{''.join(rng.choices('ACGT', k=bases))}\n")
    found = predict(PredictConfig(str(model), "splice_site", str(folder / "rows.fa"), str(folder / "answers.csv")))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {rows:,} | {found['seconds']:.1f} | {1000 * found['seconds'] / rows:.3f} | {peak:,.0f} |")


if __name__ == "__main__":
    main()
