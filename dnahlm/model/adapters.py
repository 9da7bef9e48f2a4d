"""LoRA: the switch in a recipe, and folding a trained adapter back into full weights."""

from dataclasses import dataclass, field

from peft import LoraConfig, PeftModel
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D


@dataclass
class AdapterArguments:
    """LoRA settings; names are those of trl and peft."""

    use_peft: bool = field(default=False, metadata={"help": "train a LoRA adapter instead of all weights"})
    lora_r: int = field(default=16, metadata={"help": "rank of the adapter"})
    lora_alpha: int = field(default=32, metadata={"help": "scale of the adapter"})
    lora_dropout: float = field(default=0.05, metadata={"help": "dropout inside the adapter"})


def lora_config(args: AdapterArguments, model: PreTrainedModel) -> LoraConfig | None:
    """The peft config of a recipe: every linear layer but the head; None when LoRA is off."""
    if not args.use_peft:
        return None
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=args.lora_r,
        lora_alpha=args.lora_alpha,
        lora_dropout=args.lora_dropout,
        target_modules="all-linear",
        # GPT-2 stores its projections transposed.
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
    )


def merge(model: PeftModel) -> PreTrainedModel:
    """Fold the adapter into the weights it adapts; the result is an ordinary checkpoint."""
    return model.merge_and_unload()
