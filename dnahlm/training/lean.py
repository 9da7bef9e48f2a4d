"""The same training step with fewer passes over memory: upstream's numbers, sooner.

Profiled on a CPU (GPT-2, 5 M parameters, 4,096 entries, 16 rows of 256 tokens, bf16): the log-softmax of all logits and
its gradient took 23 % of upstream's step, the float32 copies of those logits more, all so large that the allocator asks
the system for fresh pages in every step; and GPT-2's GELU is eight passes where PyTorch has one.
"""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy, pad
from transformers import PreTrainedModel
from transformers.activations import GELUTanh, NewGELUActivation

IGNORE_INDEX = -100
SLICE = 2**21  # logits whose loss is computed at once: 8 MB in float32, which the cache and the allocator keep
FEWEST_ROWS = 64  # of a slice
MLPS = ("mlp", "feed_forward")  # what a layer calls it


def lighten(model: nn.Module, device: torch.device) -> None:
    """Let a model that is about to be trained compute the same loss with less work; its weights and config stay.

    Args:
        model: of transformers, or peft's wrapper of one. Called with labels, it then returns the loss alone.
        device: it is trained on. The loss is cut into slices on a CPU only: a GPU wants few large kernels, and has
            upstream's `use_liger_kernel` for the same purpose.
    """
    inner: PreTrainedModel = model.get_base_model() if hasattr(model, "get_base_model") else model
    one_pass_gelu(inner)
    few_pass_norms(inner)
    if device.type == "cpu":
        inner.loss_function = sliced_loss
        inner.forward = loss_alone(inner.forward)


def one_pass_gelu(model: nn.Module) -> None:
    """GPT-2's GELU by PyTorch's own kernel for that formula.

    >>> model = nn.Sequential(NewGELUActivation())
    >>> one_pass_gelu(model)
    >>> type(model[0]).__name__
    'GELUTanh'
    """
    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(module, name, GELUTanh())


class RootMeanSquare(torch.autograd.Function):
    """x / sqrt(mean(x^2) + eps) * weight and its gradient, in a third of the passes that autograd makes of it."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
        """(..., D) and (D,) -> (..., D)."""
        scale = torch.linalg.vecdot(x, x).unsqueeze(-1).div_(x.shape[-1]).add_(eps).rsqrt_()
        normal = x * scale
        ctx.save_for_backward(normal, weight, scale)
        return normal * weight

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        """Gradients of x and weight."""
        normal, weight, scale = ctx.saved_tensors
        both = grad * normal
        along = (both @ weight).unsqueeze(-1).div_(normal.shape[-1])
        return (grad * weight).addcmul_(normal, along, value=-1).mul_(scale), both.flatten(0, -2).sum(dim=0), None


def few_pass_norms(model: nn.Module) -> None:
    """The RMS norms of Llama, Qwen, LFM2 and their like by `RootMeanSquare`, where all is float32 on a CPU."""
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm") and hasattr(module, "variance_epsilon"):
            module.forward = functools.partial(few_pass_norm, module.forward, module)


def few_pass_norm(upstream: Callable[[torch.Tensor], torch.Tensor], norm: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """One norm; upstream's own in half precision, on a GPU, and where a compiler fuses its passes anyway."""
    plain = x.dtype == norm.weight.dtype == torch.float32 and x.device.type == "cpu"
    if not plain or torch.compiler.is_compiling():
        return upstream(x)
    return RootMeanSquare.apply(x, norm.weight, norm.variance_epsilon)


def last_mlp_where_asked(model: nn.Module) -> None:
    """Compute the last layer's MLP only at the positions whose logits are asked for by `logits_to_keep`, a tensor.

    Nothing reads it elsewhere. In a model of four layers that is a sixth of all work; logits and gradients stay.
    """
    inner: PreTrainedModel = model.get_base_model() if hasattr(model, "get_base_model") else model
    layers = next((part for part in inner.base_model.children() if isinstance(part, nn.ModuleList)), [])
    mlp = next((getattr(layers[-1], name) for name in MLPS if hasattr(layers[-1], name)), None) if layers else None
    if mlp is None:
        return
    whole_mlp, whole_model = mlp.forward, inner.forward
    asked: dict[str, torch.Tensor | None] = {"columns": None}

    @functools.wraps(whole_mlp)
    def some_columns(hidden: torch.Tensor, *others: Any, **more: Any) -> Any:
        columns = asked["columns"]
        # An MLP that is given more than the hidden states, such as BLOOM's residual, is left alone.
        if others or more or columns is None or 2 * len(columns) > hidden.shape[1]:
            return whole_mlp(hidden, *others, **more)
        found = whole_mlp(hidden[:, columns])
        if not isinstance(found, torch.Tensor):  # of experts, with what chose them
            return whole_mlp(hidden)
        return found.new_zeros(hidden.shape).index_copy(1, columns, found)

    @functools.wraps(whole_model)
    def forward(*args: Any, logits_to_keep: int | torch.Tensor = 0, **inputs: Any) -> Any:
        asked["columns"] = logits_to_keep if isinstance(logits_to_keep, torch.Tensor) else None
        return whole_model(*args, logits_to_keep=logits_to_keep, **inputs)

    mlp.forward, inner.forward = some_columns, forward


def sliced_loss(
    logits: torch.Tensor,
    labels: torch.Tensor | None,
    vocab_size: int,
    num_items_in_batch: torch.Tensor | int | None = None,
    ignore_index: int = IGNORE_INDEX,
    shift_labels: torch.Tensor | None = None,
    **kwargs: Any,
) -> torch.Tensor:
    """Upstream's loss of a causal language model, a slice of the rows at a time, so that no float32 logits pile up.

    Args:
        logits: (B, T, V).
        labels: (B, T), `ignore_index` where there is no target; not shifted.
        vocab_size: V.
        num_items_in_batch: targets of the optimizer step, which the sum is divided by; None = those of this batch.
        ignore_index: marks positions without a target.
        shift_labels: (B, T), shifted already; used instead of `labels`.
        **kwargs: what upstream passes to every loss; not used.
    """
    if shift_labels is None:
        shift_labels = pad(labels, (0, 1), value=ignore_index)[..., 1:]
    targets = shift_labels.flatten()
    rows = max(FEWEST_ROWS, SLICE // vocab_size)
    slices = zip(logits.view(-1, vocab_size).split(rows), targets.split(rows), strict=True)
    total = sum(cross_entropy(z.float(), y, ignore_index=ignore_index, reduction="sum") for z, y in slices)
    return total / ((targets != ignore_index).sum() if num_items_in_batch is None else num_items_in_batch)


def loss_alone(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A forward pass that keeps its logits to itself when it was asked for a loss.

    In bf16 accelerate copies everything a model returns to float32, the (B, T, V) logits too, which no one reads.
    """

    @functools.wraps(forward)
    def asked_for_loss(*args: Any, labels: torch.Tensor | None = None, **inputs: Any) -> Any:
        outputs = forward(*args, labels=labels, **inputs)
        return outputs if labels is None else {"loss": outputs["loss"]}

    return asked_for_loss
