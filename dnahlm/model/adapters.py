"""LoRA and QLoRA: the switches in a recipe, and folding a trained adapter back into full weights."""

import importlib.util
from dataclasses import dataclass, field
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from torch import nn
from transformers import BitsAndBytesConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.integrations.deepspeed import is_deepspeed_zero3_enabled
from transformers.pytorch_utils import Conv1D

from dnahlm.config import did_you_mean
from dnahlm.io import InputError
from dnahlm.tokenizer.graft import first_new_id


@dataclass
class AdapterArguments:
    """LoRA settings; names are those of trl and peft."""

    use_peft: bool = field(default=False, metadata={"help": "train a LoRA adapter instead of all weights"})
    lora_r: int = field(default=16, metadata={"help": "rank of the adapter"})
    lora_alpha: int = field(default=32, metadata={"help": "scale of the adapter"})
    lora_dropout: float = field(default=0.05, metadata={"help": "dropout inside the adapter"})
    lora_modules_to_save: list[str] | None = field(
        default=None,
        metadata={"help": "modules to train whole and keep in the adapter, such as embed_tokens lm_head (GPT-2: wte)"},
    )
    train_new_tokens: bool = field(
        default=False,
        metadata={"help": "also train the rows of the tokens `dnahlm tokenizer extend` added, and no other row"},
    )
    load_in_4bit: bool = field(
        default=False,
        metadata={"help": "QLoRA: hold the frozen linear layers in 4 bits (NF4); needs CUDA and bitsandbytes"},
    )


def lora_config(
    args: AdapterArguments, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast
) -> LoraConfig | None:
    """The peft config of a recipe: every linear layer but the head; None when LoRA is off.

    Where embedding and head are tied they stay so: what trains one trains the other.

    Raises:
        InputError: a rank or dropout out of range, a module the model does not have, a tokenizer without new tokens, or
            both ways of training rows.
    """
    if not args.use_peft:
        if args.train_new_tokens or args.lora_modules_to_save or args.load_in_4bit:
            raise InputError(
                "train_new_tokens, lora_modules_to_save and load_in_4bit belong to LoRA: set use_peft too. Without it "
                "all is trained."
            )
        return None
    if args.lora_r < 1 or args.lora_alpha < 1 or not 0 <= args.lora_dropout < 1:
        raise InputError(
            f"lora_r {args.lora_r}, lora_alpha {args.lora_alpha}, lora_dropout {args.lora_dropout:g}: the first two "
            "must be at least 1, the last from 0 to below 1."
        )
    whole = modules_to_save(args.lora_modules_to_save or [], model)
    rows: dict[str, Any] = {}
    if args.train_new_tokens:
        if whole:
            raise InputError("give train_new_tokens or lora_modules_to_save, not both: the second trains all rows.")
        if is_deepspeed_zero3_enabled() and not torch.cuda.is_available():
            raise InputError(
                "train_new_tokens: peft collects rows that ZeRO-3 has parted on CUDA devices only. "
                "Train with ZeRO-2, or give lora_modules_to_save."
            )
        rows = {"trainable_token_indices": dict.fromkeys(row_modules(model), new_ids(tokenizer))}
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=args.lora_r,
        lora_alpha=args.lora_alpha,
        lora_dropout=args.lora_dropout,
        target_modules="all-linear",
        modules_to_save=whole or None,
        ensure_weight_tying=bool(whole) and is_tied(model),
        # GPT-2 stores its projections transposed.
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
        **rows,
    )


def quantization(args: AdapterArguments, bf16: bool) -> BitsAndBytesConfig | None:
    """How the base of a QLoRA is held: NF4 with quantised constants (Dettmers et al. 2023); None without.

    Args:
        args: `load_in_4bit` is looked at.
        bf16: compute in bfloat16, else in float32.

    Raises:
        InputError: no CUDA device, bitsandbytes not installed, or ZeRO-3, which parts weights in a way four-bit ones do
            not bear.
    """
    if not args.load_in_4bit:
        return None
    if not args.use_peft:
        raise InputError("load_in_4bit: four-bit weights cannot be trained, only an adapter on them: set use_peft too.")
    # bitsandbytes 0.50 also runs on a CPU; there, gradients after an evaluation are wrong by up to their own size.
    if not torch.cuda.is_available():
        raise InputError("load_in_4bit: needs a CUDA GPU; none is here. Train plain LoRA without it.")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise InputError(
            "load_in_4bit: bitsandbytes is not installed. `pip install bitsandbytes`, or train plain LoRA without it."
        )
    if is_deepspeed_zero3_enabled():
        raise InputError("load_in_4bit: not under ZeRO-3, which parts the weights. Train with ZeRO-2.")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if bf16 else torch.float32,
    )


def adapted(model: PreTrainedModel, config: LoraConfig, recompute: bool) -> PeftModel:
    """The model with a fresh adapter, ready to be trained.

    Args:
        model: whole or four-bit.
        config: of `lora_config`.
        recompute: activations are recomputed in the backward pass, which must then start at the embeddings.
    """
    if getattr(model, "is_loaded_in_4bit", False):
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if recompute:
        model.enable_input_require_grads()
    return get_peft_model(model, config)


def new_ids(tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """The ids that `dnahlm tokenizer extend` added.

    Raises:
        InputError: it added none.
    """
    vocabulary = tokenizer.get_vocab()
    first = first_new_id(vocabulary)
    if first is None:
        raise InputError(
            "train_new_tokens: the checkpoint's tokenizer is not one that `dnahlm tokenizer extend` wrote, so no token "
            "of it counts as new. To train all rows give lora_modules_to_save."
        )
    return list(range(first, max(vocabulary.values()) + 1))


def is_tied(model: PreTrainedModel) -> bool:
    """Whether embedding and head are one matrix."""
    head = model.get_output_embeddings()
    return head is not None and head.weight is model.get_input_embeddings().weight


def row_modules(model: PreTrainedModel) -> list[str]:
    """Names of the modules with a row per token: the embedding, and the head unless it is tied."""
    wanted = [model.get_input_embeddings()] + ([] if is_tied(model) else [model.get_output_embeddings()])
    return [name_of(module, model) for module in wanted]


def name_of(module: nn.Module, model: PreTrainedModel) -> str:
    """The last part of a module's name, such as `embed_tokens`."""
    return next(name for name, found in model.named_modules() if found is module).split(".")[-1]


def modules_to_save(names: list[str], model: PreTrainedModel) -> list[str]:
    """The modules to train whole; of a tied pair both, else merging would part them.

    Raises:
        InputError: a module the model does not have.
    """
    known = sorted({name.split(".")[-1] for name, _ in model.named_modules() if name})
    for name in names:
        if name not in known:
            raise InputError(
                f"lora_modules_to_save: the model has no module {name!r}. {did_you_mean(name, known)[:300]} "
                f"Its rows are in {' and '.join(row_modules(model))}."
            )
    pair = [name_of(m, model) for m in (model.get_input_embeddings(), model.get_output_embeddings())]
    if is_tied(model) and set(pair) & set(names):
        return [*dict.fromkeys([*names, *pair])]
    return list(names)


def merge(model: PeftModel) -> PreTrainedModel:
    """Fold the adapter into the weights it adapts; the result is an ordinary checkpoint, tied if its base was."""
    was_tied = model.get_base_model().config.tie_word_embeddings
    merged = model.merge_and_unload()
    embedding, head = merged.get_input_embeddings(), merged.get_output_embeddings()
    # peft trains one copy of GPT-2's tied pair and leaves two behind.
    if was_tied and head.weight is not embedding.weight and head.weight.equal(embedding.weight):
        merged.config.tie_word_embeddings = True
        merged.tie_weights()
    return merged
