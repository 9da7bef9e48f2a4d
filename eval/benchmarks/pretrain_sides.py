"""The sides of `eval/benchmarks/pretrain.py`: each trains the same model on the same blocks in its own way, timed."""

import argparse
import os
import resource
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pretrain_litgpt import train_litgpt

SHAPES = {"2M": (192, 4, 4, None), "5M": (256, 5, 4, None), "124M": (768, 12, 12, 50257)}  # width, layers, heads, rows
SEED_CONTEXT = 1024
RATE = 1e-4


class Clock:
    """Notes the time at the end of every step, on the wall and of this process."""

    def __init__(self, warm_up: int) -> None:
        self.warm_up, self.begun, self.marks = warm_up, time.perf_counter(), []

    def tick(self) -> None:
        """A step has ended."""
        self.marks.append((time.perf_counter(), time.process_time()))

    def figures(self, steps: int, useful: float, places: float, loss: float) -> dict[str, float]:
        """Rates over the steps after the warm-up.

        Args:
            steps: measured ones.
            useful: tokens of those steps, padding not counted.
            places: token places of those steps, padding counted.
            loss: mean of all steps, nats per token.
        """
        (wall, cpu), (last_wall, last_cpu) = self.marks[self.warm_up - 1], self.marks[self.warm_up + steps - 1]
        return {
            "per_second": useful / (last_wall - wall),
            "per_cpu": useful / (last_cpu - cpu),
            "useful": useful / places,
            "warm_up": wall - self.begun,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "loss": loss,
        }


def run_side(arguments: argparse.Namespace) -> dict[str, float]:
    """Train one side here."""
    name, _, variant = arguments.side.partition(", ")
    torch.manual_seed(0)
    clock = Clock(arguments.warm_up)
    if name == "litgpt":
        *shape_of, rows = SHAPES[arguments.size]
        entries = rows or stock_model(arguments, arguments.context)[0].config.vocab_size
        losses = train_litgpt(blocks_of(arguments), (*shape_of, entries), arguments, RATE, clock.tick)
        tokens = arguments.steps * arguments.batch * arguments.context
        return clock.figures(arguments.steps, tokens, tokens, statistics.mean(losses))
    run = {"dnahlm": run_dnahlm, "Trainer": run_trainer, "seed": run_seed}[name]
    return run(arguments, variant, clock)


def shape(arguments: argparse.Namespace, context: int, attention: str) -> Any:
    """The model in dnahlm's own arguments."""
    from dnahlm.model.create import ModelArguments

    width, layers, heads, rows = SHAPES[arguments.size]
    return ModelArguments(
        hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, attn_implementation=attention,
        config_overrides={"max_position_embeddings": context} | ({"vocab_size": rows} if rows else {}),
    )  # fmt: skip


def settings(arguments: argparse.Namespace, output: str) -> dict[str, Any]:
    """Upstream's arguments, the same for all sides that have its trainer."""
    return {
        "output_dir": str(Path(arguments.work) / f"{output}_{os.getpid()}"),
        "per_device_train_batch_size": arguments.batch, "learning_rate": RATE, "report_to": "none",
        "max_steps": arguments.warm_up + arguments.steps, "logging_steps": arguments.warm_up + arguments.steps,
        "save_strategy": "no", "disable_tqdm": True, "use_cpu": not torch.cuda.is_available(),
    }  # fmt: skip


def ticker(clock: Clock) -> Any:
    """The clock as a callback of upstream's trainer."""
    from transformers import TrainerCallback

    class Tick(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            clock.tick()

    return Tick()


def mean_loss(history: list[dict[str, float]]) -> float:
    """Of the line upstream's trainer logged at the last step: over all steps."""
    return next(row["loss"] for row in history if "loss" in row)


def run_dnahlm(arguments: argparse.Namespace, variant: str, clock: Clock) -> dict[str, float]:
    """`recipes/pretrain.py` without its command line."""
    from dnahlm.training import block_trainer, pretrain

    trainers = []

    class Timed(block_trainer.BlockTrainer):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.add_callback(ticker(clock))
            trainers.append(self)

        def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
            return {}  # after training; not what is measured

    pretrain.BlockTrainer = Timed
    if variant == "plain step":
        block_trainer.lighten = lambda *_: None
    fast = arguments.precision == "bf16" and not torch.cuda.is_available() and arguments.context <= 512
    args = pretrain.PretrainArguments(
        **settings(arguments, "dnahlm"), precision=arguments.precision, torch_compile=variant == "compiled"
    )
    model = shape(arguments, arguments.context, "eager" if fast and variant != "sdpa" else "sdpa")
    pretrain.run(pretrain.PretrainDataArguments(blocks=arguments.blocks), model, args)
    tokens = arguments.steps * arguments.batch * arguments.context
    return clock.figures(arguments.steps, tokens, tokens, mean_loss(trainers[0].state.log_history))


def blocks_of(arguments: argparse.Namespace) -> np.ndarray:
    """The token stream of the packed corpus as rows, (N, T): what joining and cutting gives too."""
    from dnahlm.training.blocks import read_blocks

    return np.stack(read_blocks(Path(arguments.blocks) / "train")["input_ids"][:])


def stock_model(arguments: argparse.Namespace, context: int) -> tuple[Any, Any]:
    """The same model as transformers makes it when nothing else is asked for, and the tokenizer."""
    from transformers import AutoModelForCausalLM

    from dnahlm.manifest import read_manifest
    from dnahlm.model.create import create_model
    from dnahlm.tokenizer.load import load_tokenizer

    tokenizer = load_tokenizer(read_manifest(arguments.blocks, "corpus pack")["inputs"]["tokenizer"]["path"])
    config = create_model(shape(arguments, context, "sdpa"), tokenizer, context).config
    return AutoModelForCausalLM.from_config(type(config).from_dict(config.to_dict())), tokenizer


def run_trainer(arguments: argparse.Namespace, variant: str, clock: Clock) -> dict[str, float]:
    """Upstream's trainer on rows joined and cut."""
    from transformers import Trainer, TrainingArguments, default_data_collator

    rows = [
        {"input_ids": r, "attention_mask": np.ones_like(r), "labels": r} for r in blocks_of(arguments).astype(np.int64)
    ]
    model, tokenizer = stock_model(arguments, arguments.context)
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            **settings(arguments, "trainer"), bf16=arguments.precision == "bf16", torch_compile=variant == "compiled"
        ),
        train_dataset=rows, processing_class=tokenizer, data_collator=default_data_collator, callbacks=[ticker(clock)],
    )  # fmt: skip
    trainer.train()
    tokens = arguments.steps * arguments.batch * arguments.context
    return clock.figures(arguments.steps, tokens, tokens, mean_loss(trainer.state.log_history))


def run_seed(arguments: argparse.Namespace, variant: str, clock: Clock) -> dict[str, float]:
    """Upstream's trainer on documents that are padded to 1,024 tokens each, or cut to them."""
    from transformers import DataCollatorForLanguageModeling, Trainer, TrainingArguments

    model, tokenizer = stock_model(arguments, SEED_CONTEXT)
    stream = blocks_of(arguments).reshape(-1)
    ends = np.flatnonzero(stream == tokenizer.eos_token_id) + 1
    documents = [ids[:SEED_CONTEXT].tolist() for ids in np.split(stream, ends)[:-1]]
    rows = tokenizer.pad({"input_ids": documents}, padding="max_length", max_length=SEED_CONTEXT)
    rows = [
        {"input_ids": i, "attention_mask": m} for i, m in zip(rows["input_ids"], rows["attention_mask"], strict=True)
    ]
    batch = max(1, arguments.batch * arguments.context // SEED_CONTEXT)
    useful = []

    class Counting(DataCollatorForLanguageModeling):
        def __call__(self, features: list[dict[str, Any]], *args: Any, **kwargs: Any) -> Any:
            useful.append(sum(sum(row["attention_mask"]) for row in features))
            return super().__call__(features, *args, **kwargs)

    given = settings(arguments, "seed") | {"per_device_train_batch_size": batch}
    trainer = Trainer(
        model=model, args=TrainingArguments(**given, bf16=variant == "bf16"), train_dataset=rows,
        data_collator=Counting(tokenizer, mlm=False), callbacks=[ticker(clock)],
    )  # fmt: skip
    trainer.train()
    tokens = sum(useful[arguments.warm_up : arguments.warm_up + arguments.steps])
    return clock.figures(
        arguments.steps, tokens, arguments.steps * batch * SEED_CONTEXT, mean_loss(trainer.state.log_history)
    )
