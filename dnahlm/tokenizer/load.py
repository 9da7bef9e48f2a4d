"""Load a tokenizer and say exactly what it lacks; name it (fingerprint), so that blocks and checkpoints agree."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from dnahlm.io import InputError
from dnahlm.manifest import read_json
from dnahlm.tokenizer.graft import all_entries

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# Any one of these sets makes a folder loadable; the first is what every stage of this package writes.
TOKENIZER_FILES = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("tokenizer.model",), ("spiece.model",))


def load_tokenizer(folder_or_hub_name: str | Path) -> PreTrainedTokenizerFast:
    """Load a tokenizer that can train, pad and render prompts.

    Args:
        folder_or_hub_name: a folder written by `dnahlm tokenizer train` or by training, or a name on the hub.

    Raises:
        InputError: as `read_tokenizer`, and for a tokenizer without end token, pad token of its own or chat template.
    """
    tokenizer = read_tokenizer(folder_or_hub_name)
    require_complete(tokenizer, str(folder_or_hub_name))
    switch_dropout_off(tokenizer, str(folder_or_hub_name))
    return tokenizer


def read_tokenizer(folder_or_hub_name: str | Path) -> PreTrainedTokenizerFast:
    """Load any tokenizer as it is, such as GPT-2's own, which has neither pad token nor chat template.

    Raises:
        InputError: no such folder or name, a folder without tokenizer files, or two tokens that claim one id.
    """
    from transformers import AutoTokenizer

    folder = Path(folder_or_hub_name)
    if folder.is_dir():
        require_tokenizer_files(folder)
    elif looks_local(folder):
        raise InputError(f"{folder}: no such folder (a tokenizer is needed). `dnahlm tokenizer train` writes one.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder_or_hub_name), trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:  # damaged JSON fails in many ways
        reason = str(error).strip().split("\n")[0]
        raise InputError(
            f"{folder_or_hub_name}: cannot be loaded as a tokenizer ({reason}). Give a folder written by "
            "`dnahlm tokenizer train` or by training. A hub name needs the network or a filled cache; without them "
            "fetch it elsewhere (`hf download NAME --local-dir FOLDER`), copy the folder here and give its path."
        ) from error
    except Exception as error:  # the Rust tokenizers library raises the bare class for a damaged tokenizer.json
        if type(error) is not Exception:
            raise
        raise InputError(
            f"{folder_or_hub_name}: tokenizer.json is damaged ({error}). Copy or train it again."
        ) from error
    check_ids(str(folder_or_hub_name))
    return tokenizer


def check_ids(folder_or_hub_name: str) -> None:
    """Check the ids that tokenizer.json gives its reserved tokens: the library renumbers a clashing one unasked.

    Raises:
        InputError: two tokens claim one id.
    """
    from transformers.utils import cached_file

    path = cached_file(folder_or_hub_name, "tokenizer.json", _raise_exceptions_for_missing_entries=False)
    state = read_json(Path(path)) if path else None
    if state and state["model"].get("type") == "BPE":  # old files of other models name no type
        all_entries(state, path)


def switch_dropout_off(tokenizer: PreTrainedTokenizerFast, where: str) -> None:
    """Switch off BPE-dropout that a tokenizer's file has on: one text must have one sequence of ids."""
    model = tokenizer.backend_tokenizer.model
    if getattr(model, "dropout", None):
        print(f"{where}: its BPE-dropout of {model.dropout:g} is switched off; training has an option bpe_dropout")
        model.dropout = None


def looks_local(path: Path) -> bool:
    """Whether a name that does not exist was meant as a path: hub names are `name` or `owner/name`, no more.

    >>> looks_local(Path("/tmp/none")), looks_local(Path("runs/tiny/sft")), looks_local(Path("gpt2"))
    (True, True, False)
    """
    return path.is_absolute() or path.exists() or len(path.parts) > 2 or (len(path.parts) == 2 and path.parent.is_dir())


def require_tokenizer_files(folder: Path) -> None:
    """Raise `InputError` when a folder, for example a bare checkpoint, holds no tokenizer."""
    if any(all((folder / name).is_file() for name in names) for names in TOKENIZER_FILES):
        return
    is_checkpoint = (folder / "config.json").is_file()
    what = "a checkpoint folder without a tokenizer" if is_checkpoint else "not a tokenizer folder"
    raise InputError(
        f"{folder}: {what}: tokenizer.json is missing (found: {sorted(p.name for p in folder.iterdir())[:8]}). "
        "Copy tokenizer.json, tokenizer_config.json and chat_template.jinja from the folder this model was trained "
        "with, or give a folder written by `dnahlm tokenizer train`."
    )


def require_complete(tokenizer: PreTrainedTokenizerFast, where: str, own_pad: bool = True) -> None:
    """Raise `InputError` when a loaded tokenizer lacks what training, scoring or chatting needs.

    Args:
        tokenizer: as loaded.
        where: folder or name, for the message.
        own_pad: the pad token must differ from the end token, as training needs it.
    """
    if not tokenizer.is_fast:
        raise InputError(f"{where}: is not a `tokenizers` (fast) tokenizer; tokenizer.json is needed.")
    for name in ("eos_token", "pad_token"):
        if getattr(tokenizer, name) is None:
            raise InputError(
                f"{where}: the tokenizer has no {name}. Set {name!r} in {where}/tokenizer_config.json, "
                "or use the folder that `dnahlm tokenizer train` writes."
            )
    if own_pad and tokenizer.pad_token_id == tokenizer.eos_token_id:
        raise InputError(
            f"{where}: pad token and end token are both {tokenizer.eos_token!r}, so a model could not learn to stop. "
            "Give the pad token a name of its own, or use the folder that `dnahlm tokenizer train` writes."
        )
    if not tokenizer.chat_template:
        raise InputError(
            f"{where}: the tokenizer has no chat template, so no prompt can be rendered. Put chat_template.jinja "
            "beside tokenizer.json (the package ships data_templates/prompts/alpaca.jinja), or use the folder that "
            "`dnahlm tokenizer train` writes."
        )
    require_template(tokenizer, where)


def require_template(tokenizer: PreTrainedTokenizerFast, where: str) -> None:
    """Raise `InputError` when the chat template cannot render a question."""
    from jinja2 import TemplateError

    try:
        tokenizer.apply_chat_template([{"role": "user", "content": "A"}], tokenize=False, add_generation_prompt=True)
    except TemplateError as error:
        raise InputError(
            f"{where}: its chat template renders no question ({error}). Copy chat_template.jinja from the folder that "
            "`dnahlm tokenizer train` wrote."
        ) from error


def fingerprint(tokenizer: PreTrainedTokenizerFast) -> str:
    """SHA-256 (hex) of all that turns text into ids: normalizer, splitter, merges, added tokens.

    Padding, truncation and the chat template do not count: they change no id of a given text.
    """
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    deciding = {key: state.get(key) for key in ("normalizer", "pre_tokenizer", "model", "added_tokens")}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def template_fingerprint(tokenizer: PreTrainedTokenizerFast) -> str:
    """SHA-256 (hex) of the chat template: what turns a question into the text a model sees."""
    return hashlib.sha256((tokenizer.chat_template or "").strip().encode()).hexdigest()


def token_ids(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[list[int]]:
    """Ids of plain texts: nothing added, and a text that spells a special token out gets its letters, not the token.

    The library underneath is called without the offsets of tokens, which cost as much as their ids.
    """
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    before = backend.encode_special_tokens
    backend.encode_special_tokens = True
    try:
        return [encoding.ids for encoding in backend.encode_batch_fast(texts, add_special_tokens=False)]
    finally:
        backend.encode_special_tokens = before
