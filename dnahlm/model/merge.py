"""LoRA adapter -> an ordinary checkpoint: the adapter folded into the weights it adapts."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnahlm.io import InputError, staged_folder
from dnahlm.manifest import FILE_NAME, StageClock, read_json, write_manifest
from dnahlm.model.create import keep_splitter
from dnahlm.model.load import (
    ADAPTER_FILE,
    ADAPTER_WEIGHT_FILES,
    base_of,
    check_rows,
    load_adapter,
    require_checkpoint_place,
)
from dnahlm.tokenizer.load import fingerprint, load_tokenizer

LEFT_BEHIND = (ADAPTER_FILE, *ADAPTER_WEIGHT_FILES, FILE_NAME)
CARD = "README.md"


@dataclass
class MergeConfig:
    """Settings of `dnahlm model merge`."""

    adapter: str = field(metadata={"help": "folder of a LoRA adapter, as pretraining or fine-tuning wrote it"})
    output: str = field(metadata={"help": "folder to write the whole checkpoint to"})
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def run(config: MergeConfig) -> dict[str, Any]:
    """Write the checkpoint in float32, with tokenizer, tasks and calibration of the adapter, and a manifest.

    The adapter of a QLoRA is folded into the base as it lies on disk, not into its four-bit copy.

    Raises:
        InputError: not an adapter, another base than it was trained on, or an output in the way.
    """
    clock = StageClock()
    adapter = Path(config.adapter)
    require_checkpoint_place(config.adapter)
    if not (adapter / ADAPTER_FILE).is_file():
        raise InputError(f"{adapter}: is no LoRA adapter (it has no {ADAPTER_FILE}); there is nothing to fold in.")
    base = base_of(adapter)
    tokenizer = load_tokenizer(adapter)
    with staged_folder(config.output, config.overwrite, [adapter, base]) as part:
        model = load_adapter(adapter)
        check_rows(model, tokenizer, str(adapter))
        keep_splitter(model, tokenizer)
        shutil.copytree(adapter, part, ignore=shutil.ignore_patterns(*LEFT_BEHIND), dirs_exist_ok=True)
        card = part / CARD
        if card.is_file():
            said = card.read_text(encoding="utf-8").replace("library_name: peft", "library_name: transformers")
            note = "\nThis folder holds the adapter described above folded into its base: an ordinary checkpoint.\n"
            card.write_text(said + note, encoding="utf-8")
        model.config.use_cache = True
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        start = (read_json(adapter / FILE_NAME) or {}).get("start", {})
        manifest = write_manifest(
            part, "model merge", config, clock, {"adapter": adapter, "checkpoint": base},
            {"parameters": model.num_parameters()}, start={"from": base, **start},
            tokenizer_sha256=fingerprint(tokenizer),
        )  # fmt: skip
    print(f"folded {adapter} into {base}: {model.num_parameters() / 1e6:.2f} M parameters -> {config.output}")
    return manifest
