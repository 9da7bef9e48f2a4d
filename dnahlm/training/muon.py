"""Muon for the weight matrices and AdamW for everything else, as one optimizer that upstream's trainers drive.

Measured on two shared CPU cores on 2026-11-25 (a GPT-2 of 2.6 M parameters, seven binding-site and splice tasks, seed
0, one run each): mean MCC on validation rows with Muon at a rate of 3e-3 was 0.16 after 26,000 examples and 0.21
after 51,000; with AdamW at 1.5e-3 it was 0.00 after 32,000 and 0.14 after 64,000.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from transformers import TrainingArguments

from dnahlm.training.arguments import has_bf16

MOMENTUM = 0.95  # of Muon; the value of Jordan et al.


class MuonWithAdamW(torch.optim.Optimizer):
    """`torch.optim.Muon` and `torch.optim.AdamW` behind one set of parameter groups.

    Muon (Jordan et al. 2024) makes the update of a matrix orthogonal, so that rare directions are learnt as fast as
    common ones. Its step is scaled to the size of AdamW's (Liu et al. 2025), so one learning rate serves both.

    Args:
        matrices: parameters of two dimensions.
        others: all other trainable parameters.
        lr: learning rate.
        weight_decay: of the matrices; the others get none.
        betas: of AdamW.
    """

    def __init__(
        self,
        matrices: list[nn.Parameter],
        others: list[nn.Parameter],
        lr: float,
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> None:
        super().__init__([{"params": matrices}, {"params": others}], {"lr": lr})
        muon = torch.optim.Muon(
            matrices, lr=lr, weight_decay=weight_decay, momentum=MOMENTUM, adjust_lr_fn="match_rms_adamw"
        )
        self.parts = [muon, torch.optim.AdamW(others, lr=lr, weight_decay=0.0, betas=betas)]
        self._share_groups()

    def _share_groups(self) -> None:
        """Show the parts' own groups, so that a schedule that sets `lr` reaches them."""
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step of both."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The states of both, for a checkpoint."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take both states from a checkpoint."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self._share_groups()


def orthogonal_in_fp32(
    grad: torch.Tensor, ns_coefficients: tuple[float, float, float], ns_steps: int, eps: float
) -> torch.Tensor:
    """PyTorch's Newton-Schulz iteration (`torch.optim._muon`) in float32 instead of bfloat16.

    A processor without bfloat16 emulates it: on an AVX2 machine that took 58 of 132 seconds of tuning 1.45 M parameters
    with batches of 32.

    Args:
        grad: (M, N).
        ns_coefficients: of the quintic.
        ns_steps: iterations.
        eps: least norm that is divided by.
    """
    a, b, c = ns_coefficients
    wide = grad.T if grad.size(0) > grad.size(1) else grad
    wide = wide / wide.norm().clamp(min=eps)
    for _ in range(ns_steps):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide.T if grad.size(0) > grad.size(1) else wide


def split_parameters(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Trainable weight matrices, and the rest: embeddings, the head, norms, biases, convolutions.

    >>> matrices, others = split_parameters(nn.Sequential(nn.Embedding(4, 2), nn.Linear(2, 3)))
    >>> [tuple(p.shape) for p in matrices], [tuple(p.shape) for p in others]
    ([(3, 2)], [(4, 2), (3,)])
    """
    ends = {id(p) for module in model.modules() if isinstance(module, nn.Embedding) for p in module.parameters()}
    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    ends |= {id(p) for p in head.parameters()} if head is not None else set()
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.ndim == 2 and id(p) not in ends]
    chosen = {id(p) for p in matrices}
    return matrices, [p for p in trained if id(p) not in chosen]


def optimizer_for(args: TrainingArguments, muon: bool) -> tuple[Any, dict[str, Any]] | None:
    """What a trainer takes as `optimizer_cls_and_kwargs`: Muon's factory, or None for upstream's `optim`.

    ZeRO cuts every matrix into flat pieces, which Muon cannot orthogonalise: under DeepSpeed AdamW is used, and said.
    """
    if not muon:
        return None
    if args.deepspeed_plugin is not None:
        if args.process_index == 0:
            print(f"muon: not under ZeRO, which splits matrices; {args.optim} is used at the same learning rate")
        return None
    if not has_bf16(args.use_cpu):
        torch.optim._muon._zeropower_via_newtonschulz = orthogonal_in_fp32
    return _factory, {
        "lr": args.learning_rate,
        "weight_decay": args.weight_decay,
        "betas": (args.adam_beta1, args.adam_beta2),
    }


def _factory() -> Callable[..., MuonWithAdamW]:
    """The trainer calls this, then its result with the model (`transformers.trainer_optimizer`)."""
    return lambda model, **settings: MuonWithAdamW(*split_parameters(model), **settings)
