"""The side of litgpt in `eval/benchmarks/pretrain.py`: its own `pretrain` on the same blocks."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


class Windows(Dataset):
    """Rows of context + 1 tokens, which litgpt cuts into inputs and targets."""

    def __init__(self, stream: np.ndarray, context: int) -> None:
        self.stream, self.context = torch.from_numpy(stream.astype(np.int64)), context

    def __len__(self) -> int:
        return (len(self.stream) - 1) // self.context

    def __getitem__(self, i: int) -> torch.Tensor:
        return self.stream[i * self.context : (i + 1) * self.context + 1]


def train_litgpt(
    blocks: np.ndarray, shape: tuple[int, ...], arguments: argparse.Namespace, rate: float, tick: Callable[[], None]
) -> list[float]:
    """`litgpt.pretrain` on a model of the same layers, width, heads and vocabulary: LayerNorm, biases, tanh GELU.

    Args:
        blocks: (N, T) token ids.
        shape: width, layers, heads and entries of the vocabulary.
        arguments: of the benchmark.
        rate: the learning rate.
        tick: called at the end of every step.

    Returns:
        The loss of every step, nats per token.
    """
    from litgpt import pretrain
    from litgpt.args import EvalArgs, TrainArgs
    from litgpt.config import Config
    from litgpt.data import DataModule

    width, layers, heads, vocabulary = shape
    data = Windows(blocks.reshape(-1), arguments.context)
    losses: list[float] = []

    class Data(DataModule):
        def connect(self, **given: Any) -> None:
            pass

        def train_dataloader(self) -> DataLoader:
            return DataLoader(data, batch_size=arguments.batch, shuffle=True, drop_last=True)

        def val_dataloader(self) -> DataLoader:
            return DataLoader(torch.utils.data.Subset(data, range(arguments.batch)), batch_size=arguments.batch)

    class Noting(pretrain.RunningMean):  # litgpt shows it the loss once a step
        def update(self, value: torch.Tensor) -> None:
            losses.append(value.item())
            super().update(value)

    class Ticking(torch.optim.AdamW):
        def zero_grad(self, set_to_none: bool = True) -> None:  # the last thing of litgpt's step
            super().zero_grad(set_to_none)
            tick()

    pretrain.RunningMean = Noting
    pretrain.instantiate_torch_optimizer = lambda name, parameters, **more: Ticking(parameters, lr=rate)
    pretrain.save_checkpoint = lambda *_: None
    pretrain.setup(
        model_name="same-shape",
        model_config=Config(
            name="same-shape", block_size=arguments.context, vocab_size=vocabulary, padded_vocab_size=vocabulary,
            n_layer=layers, n_head=heads, n_embd=width, intermediate_size=4 * width, norm_class_name="LayerNorm",
            mlp_class_name="GptNeoxMLP", gelu_approximate="tanh", parallel_residual=False, bias=True,
            lm_head_bias=False,
        ),
        out_dir=Path(arguments.work) / f"litgpt_{os.getpid()}",
        precision="bf16-mixed" if arguments.precision == "bf16" else "32-true",
        data=Data(),
        train=TrainArgs(
            save_interval=None, log_interval=10, global_batch_size=arguments.batch, micro_batch_size=arguments.batch,
            max_tokens=(arguments.warm_up + arguments.steps) * arguments.batch * arguments.context, max_norm=1.0,
            lr_warmup_steps=1, tie_embeddings=True,
        ),
        eval=EvalArgs(interval=10**9, max_iters=1, final_validation=False),
        devices=1,
        logger_name="csv",
    )  # fmt: skip
    return losses
