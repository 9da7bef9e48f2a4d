"""Open a checkpoint or a LoRA adapter, or say exactly why it cannot be opened."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.integrations.deepspeed import is_deepspeed_zero3_enabled

from dnahlm.io import InputError
from dnahlm.manifest import FILE_NAME, read_json, sha256
from dnahlm.model.adapters import merge
from dnahlm.model.create import name_loss
from dnahlm.tokenizer.load import looks_local

ADAPTER_FILE = "adapter_config.json"
# One of these holds the weights (or the list of their shards).
WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
ADAPTER_WEIGHT_FILES = ("adapter_model.safetensors", "adapter_model.bin")


def load_checkpoint(
    name: str, attn_implementation: str | None = None, quantization: BitsAndBytesConfig | None = None
) -> PreTrainedModel:
    """A whole checkpoint in float32 on the CPU (one in bf16 trains with float32 weights too).

    Args:
        name: folder, or name of a model on the hub (fetched or cached); its code is never run.
        attn_implementation: passed to transformers; None = sdpa where the model has it (one without attention has not).
        quantization: of the linear layers, for QLoRA; the model is then on this process's GPU where there is one.

    Raises:
        InputError: it cannot be opened, is an adapter, or its files do not hold every tensor of the model.
    """
    require_checkpoint_place(name)
    if (Path(name) / ADAPTER_FILE).is_file():
        raise InputError(
            f"{name}: is a LoRA adapter; a whole checkpoint is needed here. Fold it into its base first: "
            f"`dnahlm model merge --adapter {name} --output <folder>`."
        )
    with clear_load_errors(name):
        model, info = AutoModelForCausalLM.from_pretrained(
            name,
            dtype=torch.float32,
            attn_implementation=attn_implementation,
            quantization_config=quantization,
            trust_remote_code=False,
            # Else the error does not say which; but weights that ZeRO-3 has parted never match.
            ignore_mismatched_sizes=not is_deepspeed_zero3_enabled(),
            output_loading_info=True,
        )
    if info["mismatched_keys"]:
        key, found, wanted = min(info["mismatched_keys"])
        raise InputError(
            f"{name}: config.json describes {key} as {tuple(wanted)}, but the weights hold {tuple(found)}, so the two "
            "do not belong together. Copy config.json and the weights from the same folder again."
        )
    # transformers fills what the file lacks with random numbers and only logs it; an answer from those is noise.
    if info["missing_keys"]:
        raise InputError(
            f"{name}: its weights lack {len(info['missing_keys'])} tensors of the model that config.json describes "
            f"(first: {min(info['missing_keys'])}). Is it a causal language model, and was it copied whole?"
        )
    name_loss(model)
    settle_sampling(model)
    return model


def settle_sampling(model: PreTrainedModel) -> None:
    """Say that a model samples where its generation config says how (Llama 2's sets `temperature` and `top_p`).

    transformers opens such a file without `do_sample`, but refuses to write it: training would end without a result.
    """
    try:
        model.generation_config.validate(strict=True)
    except ValueError:
        model.generation_config.do_sample = True


def load_adapter(path: Path) -> PreTrainedModel:
    """A LoRA adapter folded into the base that its `adapter_config.json` names, in float32 on the CPU.

    Raises:
        InputError: the base is not where the adapter says, is not the one it was trained on, or the two do not fit.
    """
    from peft import PeftModel

    base = base_of(path)
    require_same_base(path, base)
    model = load_checkpoint(base)
    with clear_load_errors(str(path)):
        return merge(PeftModel.from_pretrained(model, str(path)))


def base_of(adapter: Path) -> str:
    """The checkpoint an adapter names as its base.

    Raises:
        InputError: it names none, or a folder that is not here.
    """
    base = (read_json(adapter / ADAPTER_FILE) or {}).get("base_model_name_or_path")
    if not base:
        raise InputError(f"{adapter / ADAPTER_FILE}: names no base model (key base_model_name_or_path).")
    if not Path(base).is_dir() and looks_local(Path(base)):
        raise InputError(
            f"{adapter / ADAPTER_FILE}: its base model {base} is no folder here (relative names start at "
            f"{Path.cwd()}). Correct base_model_name_or_path, or run from the folder the adapter was trained in."
        )
    return base


def require_same_base(adapter: Path, base: str) -> None:
    """Raise `InputError` when the base is another checkpoint than the adapter's manifest names.

    One of the same shape would load without a word, and answer noise.
    """
    trained_on = ((read_json(adapter / FILE_NAME) or {}).get("inputs") or {}).get("checkpoint", {}).get("sha256")
    here = Path(base) / FILE_NAME
    found = sha256(here) if here.is_file() else None
    if trained_on and found != trained_on:
        raise InputError(
            f"{adapter}: was trained on another checkpoint than {base} holds ({FILE_NAME} there has SHA-256 "
            f"{found[:12] if found else 'none'}, the adapter's names {trained_on[:12]}). Put the right base there, or "
            f"correct base_model_name_or_path in {adapter / ADAPTER_FILE}."
        )


def check_rows(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, where: str) -> None:
    """Raise `InputError` when the tokenizer has more entries than the model embedding rows."""
    rows = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > rows:
        raise InputError(
            f"{where}: the tokenizer has {len(tokenizer)} tokens but the model {rows} embedding rows, so it belongs to "
            "another model. Copy the tokenizer files from the folder this model was trained with."
        )


def require_checkpoint_place(name: str) -> None:
    """Raise `InputError` for a folder that is no checkpoint, a file, or a path where nothing is; hub names pass."""
    path = Path(name)
    if path.is_dir():
        require_checkpoint_files(path)
    elif looks_local(path):
        found = "is a file, not a checkpoint folder" if path.is_file() else "no such folder"
        raise InputError(f"{name}: {found}. Give the folder that training wrote, such as runs/tiny/sft.")


def require_checkpoint_files(path: Path) -> None:
    """Raise `InputError` when a folder is not a checkpoint or lacks its weights."""
    is_adapter = (path / ADAPTER_FILE).is_file()
    seen = f"it holds {sorted(p.name for p in path.iterdir())[:8]}"
    if not is_adapter and not (path / "config.json").is_file():
        inside = [child.name for child in sorted(path.iterdir()) if (child / "config.json").is_file()]
        hint = f"Did you mean {path / inside[-1]}?" if inside else "Give the folder that training wrote."
        raise InputError(f"{path}: has no config.json, so it is not a checkpoint ({seen}). {hint}")
    names = ADAPTER_WEIGHT_FILES if is_adapter else WEIGHT_FILES
    present = [path / name for name in names if (path / name).is_file()]
    for weights in present:
        weights.open("rb").close()  # safetensors calls a file it has no permission to read a missing one
    if not present:
        raise InputError(f"{path}: has no weights (none of {', '.join(names)}; {seen}). Was it copied whole?")


@contextlib.contextmanager
def clear_load_errors(where: str) -> Iterator[None]:
    """Say in one sentence what transformers, safetensors or peft could not open."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{where}: cannot be loaded as a causal language model ({reason}). Give the folder that training wrote. "
            "A hub name needs the network or a filled cache; without them fetch it elsewhere (`hf download NAME "
            "--local-dir FOLDER`), copy the folder here and give its path."
        ) from error
