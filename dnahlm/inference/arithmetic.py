"""How a loaded model computes: in bfloat16, or in float32 as fast as the CPU can; for answering, never to be saved."""

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.activations import NewGELUActivation
from transformers.pytorch_utils import Conv1D


class FastLinear(nn.Module):
    """A linear layer in the precision of its weight; in float32 on a CPU by oneDNN when no gradient is asked for.

    PyTorch itself multiplies float32 matrices with MKL, which uses half of the registers of processors that are not
    Intel's. oneDNN is a part of PyTorch too; its float32 has the same precision.
    """

    def __init__(self, weight: nn.Parameter, bias: nn.Parameter | None) -> None:
        super().__init__()
        self.weight = weight  # (out, in)
        self.bias = bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., in) -> (..., out)."""
        x = x.to(self.weight.dtype)
        if torch.is_grad_enabled() or x.device.type != "cpu" or x.dtype != torch.float32 or not has_onednn():
            return nn.functional.linear(x, self.weight, self.bias)
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")


def has_onednn() -> bool:
    """Whether this PyTorch has oneDNN's linear layer."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def in_bf16(model: PreTrainedModel) -> PreTrainedModel:
    """The model with bfloat16 weights, but for the output matrix: rounding its logits is what changes most answers."""
    head = model.get_output_embeddings()
    weight = nn.Parameter(head.weight.detach().clone(), requires_grad=False)  # it may be tied to the input matrix
    bias = None if head.bias is None else nn.Parameter(head.bias.detach().clone(), requires_grad=False)
    model = model.to(torch.bfloat16)
    model.set_output_embeddings(FastLinear(weight, bias))
    return model


def faster(model: PreTrainedModel) -> PreTrainedModel:
    """The model with float32 layers by oneDNN, and GPT-2's activation as one operation in place of eight."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(parent, name, nn.GELU(approximate="tanh"))
            elif type(child) is nn.Linear and child.weight.dtype == torch.float32:
                setattr(parent, name, FastLinear(child.weight, child.bias))
            elif type(child) is Conv1D and child.weight.dtype == torch.float32:  # GPT-2's, (in, out)
                weight = nn.Parameter(child.weight.detach().t().contiguous(), requires_grad=False)
                setattr(parent, name, FastLinear(weight, child.bias))
    return model
