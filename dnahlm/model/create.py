"""The starting point of a training stage: a fresh model of an open `model_type`, or a checkpoint to continue."""

from dataclasses import dataclass, field
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import (
    AutoConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
)
from transformers.models.auto.tokenization_auto import MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS

from dnahlm.config import did_you_mean
from dnahlm.io import InputError
from dnahlm.values import read_object

UNLIMITED = 1 << 20  # tokens
ATTENTIONS = ("sdpa", "eager", "flash_attention_2")
DROPOUTS = ("resid_pdrop", "embd_pdrop", "attn_pdrop", "attention_dropout")


@dataclass
class ModelArguments:
    """Which model a training stage starts from. Names are those of transformers' configs."""

    model_name_or_path: str | None = field(
        default=None, metadata={"help": "checkpoint to continue (folder or hub name); empty = from scratch"}
    )
    model_type: str = field(default="gpt2", metadata={"help": "transformers model type of a model from scratch"})
    hidden_size: int = field(default=256, metadata={"help": "width of a model from scratch"})
    num_hidden_layers: int = field(default=4, metadata={"help": "layers of a model from scratch"})
    num_attention_heads: int = field(default=4, metadata={"help": "attention heads of a model from scratch"})
    tie_word_embeddings: bool = field(
        default=True,
        metadata={"help": "one matrix for input and output, as in GPT-2; of a model from scratch"},
    )
    attn_implementation: str = field(
        default="sdpa", metadata={"help": "sdpa, eager or flash_attention_2; eager trains faster in bf16 on a CPU"}
    )
    dropout: float = field(default=0.0, metadata={"help": "dropout rate of a model from scratch"})
    dna_token_init: str = field(
        default="random",
        metadata={"help": "how rows of DNA tokens start in a model from scratch: random, or bases: the sum of a vector "
                  "for each base at its place, so that tokens alike start alike"},
    )  # fmt: skip
    embedding_std: float = field(
        default=0.3, metadata={"help": "standard deviation of all rows, with dna_token_init: bases"}
    )
    new_token_init: str = field(
        default="subtoken_mean",
        metadata={"help": "how rows of tokens that are new to a checkpoint start: subtoken_mean, mean or random"},
    )
    longer_context: str | None = field(
        default=None,
        metadata={"help": "how a checkpoint gets positions for longer blocks: copy or interpolate; empty = not"},
    )
    config_overrides: dict | str | None = field(
        default=None,
        metadata={"help": "further settings of the model type's own config, of a model from scratch; a mapping in "
                  "YAML, on the command line JSON such as '{\"conv_L_cache\": 4}'"},
    )  # fmt: skip

    def __post_init__(self) -> None:
        if isinstance(self.config_overrides, str):
            self.config_overrides = read_object(self.config_overrides, "config_overrides", '{"conv_L_cache": 4}')


def create_model(args: ModelArguments, tokenizer: PreTrainedTokenizerFast, context: int) -> PreTrainedModel:
    """A randomly initialised causal language model that fits a tokenizer.

    Args:
        args: `model_type` and its shape; `model_name_or_path` is not looked at.
        tokenizer: gives V, the number of embedding rows, and the special ids.
        context: T, tokens the model can see at once.

    Raises:
        InputError: unknown `model_type`, a width the heads do not divide, a dropout rate of no share, or an override
            its config does not have.
    """
    if args.model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        known = did_you_mean(args.model_type, ["gpt2", "llama", "qwen2", "qwen3", "mistral", "lfm2", "mamba2"])
        raise InputError(f"model_type {args.model_type!r} is no causal language model of transformers. {known}")
    smallest = min(args.hidden_size, args.num_attention_heads, args.num_hidden_layers)
    if smallest < 1 or args.hidden_size % args.num_attention_heads:
        raise InputError(
            f"hidden_size {args.hidden_size} must be a multiple of num_attention_heads {args.num_attention_heads}, "
            f"and all three at least 1 (num_hidden_layers {args.num_hidden_layers})."
        )
    if not 0 <= args.dropout < 1:
        raise InputError(f"dropout: found {args.dropout:g}; allowed: a number from 0 to below 1.")
    check_attention(args.attn_implementation)
    usual = AutoConfig.for_model(args.model_type)
    # Not every architecture has these; where they exist, the defaults are those of a 7-billion model.
    sized = {"intermediate_size": 4 * args.hidden_size, "num_key_value_heads": args.num_attention_heads}
    sized |= dict.fromkeys(DROPOUTS, args.dropout)
    config = build_config(
        args.model_type,
        {
            "vocab_size": len(tokenizer),
            "hidden_size": args.hidden_size,
            "num_hidden_layers": args.num_hidden_layers,
            "num_attention_heads": args.num_attention_heads,
            "max_position_embeddings": context,
            "tie_word_embeddings": args.tie_word_embeddings,
            **special_ids(tokenizer),
            **{name: value for name, value in sized.items() if hasattr(usual, name)},
            **known_overrides(args.config_overrides or {}, usual),
            "attn_implementation": args.attn_implementation,
        },
    )
    # The class itself, not `from_config`: that draws other weights under ZeRO-3 than everywhere else.
    model = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)](config)
    set_special_ids(model, tokenizer)
    keep_splitter(model, tokenizer)
    name_loss(model)
    return model


def known_overrides(overrides: dict[str, Any], usual: PreTrainedConfig) -> dict[str, Any]:
    """The overrides, each of which the model type's config has.

    Raises:
        InputError: one it does not have; transformers would keep it and never use it.
    """
    for name in overrides:
        if not hasattr(usual, name):
            hint = did_you_mean(name, list(usual.to_dict()))[:300]
            raise InputError(f"config_overrides: a {usual.model_type} config has no {name!r}. {hint}")
    return overrides


def build_config(model_type: str, settings: dict[str, Any]) -> PreTrainedConfig:
    """The config of a model type, or what is wrong with a setting.

    Raises:
        InputError: a value of the wrong type or out of range.
    """
    try:
        return AutoConfig.for_model(model_type, **settings)
    except (TypeError, ValueError, StrictDataclassError) as error:
        raise InputError(
            f"model_type {model_type}: its config refuses these settings ({' '.join(str(error).split())})."
        ) from error


def check_attention(attn_implementation: str) -> None:
    """Raise `InputError` for an attention that isolates no packed documents, or that transformers does not know."""
    if attn_implementation not in ATTENTIONS:
        raise InputError(f"attn_implementation: found {attn_implementation!r}; allowed: {', '.join(ATTENTIONS)}.")


def context_of(model: PreTrainedModel) -> int:
    """T: tokens the model can see at once (`n_positions` of GPT-2); a recurrent model's config names no end to it."""
    return getattr(model.config, "max_position_embeddings", None) or UNLIMITED


def special_ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    """The special ids a model config must agree on with its tokenizer."""
    return {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def name_loss(model: PreTrainedModel) -> None:
    """Say which loss the model has: GPT-2's class name does not tell it, and transformers then warns at each start."""
    model.loss_type = "ForCausalLM"


def set_special_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write the special ids into config and generation config: a model whose EOS id is another's never stops."""
    for name, value in special_ids(tokenizer).items():
        setattr(model.config, name, value)
        setattr(model.generation_config, name, value)


def keep_splitter(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
    """Let `AutoTokenizer` open the tokenizer as it is beside this model, whose type may have a splitter of its own.

    Beside a Qwen2 config (and a few others) transformers takes the type's class whatever `tokenizer_class` says, and
    with it another splitter than tokenizer.json holds; it leaves that alone only where an `auto_map` is present.
    """
    if model.config.model_type in MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS:
        tokenizer.init_kwargs["auto_map"] = {"AutoTokenizer": [None, None]}  # names no code
    else:
        tokenizer.init_kwargs.pop("auto_map", None)
