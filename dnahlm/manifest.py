"""Provenance: every stage leaves one `manifest.json` that says what was made from what.

The manifest of an input folder is copied into the manifest of the stage that read it, so that the last folder of a run
(a tuned checkpoint, an evaluation) carries the whole chain and can be moved on its own.
"""

import dataclasses
import datetime
import hashlib
import json
import platform
import subprocess
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from dnahlm import __version__
from dnahlm.io import InputError

FILE_NAME = "manifest.json"
LIBRARIES = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "deepspeed",
    "datasets",
    "tokenizers",
    "sentencepiece",
    "biopython",
)


class StageClock:
    """Seconds since the stage began; made first thing in a stage's `run`."""

    def __init__(self) -> None:
        self.started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Elapsed wall-clock seconds."""
        return round(time.perf_counter() - self.started, 2)


def write_manifest(
    folder: Path,
    stage: str,
    config: Any,
    clock: StageClock,
    inputs: dict[str, str | Path | dict[str, Any]],
    counts: dict[str, Any],
    **facts: Any,
) -> dict[str, Any]:
    """Write `folder/manifest.json` and return what it holds.

    Args:
        folder: the stage's output, usually still the `.part` folder.
        stage: the command's name, such as `"corpus build"`.
        config: the resolved dataclass config of the stage, or a mapping.
        clock: started when the stage started.
        inputs: name -> file (hashed) or folder with a manifest (its manifest is copied in), or what
            `describe_input` said of one before.
        counts: what was read, kept and dropped, per class and source.
        facts: anything later stages check, such as `tokenizer_sha256=`.
    """
    settings = dataclasses.asdict(config) if dataclasses.is_dataclass(config) else dict(config)
    manifest = {
        "stage": stage,
        "dnahlm": __version__,
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "seconds": clock.seconds,
        "seed": settings.get("seed"),
        "config": settings,
        "counts": counts,
        **facts,
        "inputs": {n: p if isinstance(p, dict) else describe_input(Path(p)) for n, p in inputs.items()},
        "versions": library_versions(),
        "git_commit": git_commit(),
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, default=str)
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")
    return manifest


def describe_input(path: Path) -> dict[str, Any]:
    """Path and hash of a file, or path and copied manifest of a stage folder."""
    if path.is_file():
        return {"path": str(path), "bytes": path.stat().st_size, "sha256": sha256(path)}
    if (path / FILE_NAME).is_file():
        manifest = parse_manifest(path / FILE_NAME)
        manifest.pop("versions", None)
        return {"path": str(path), "sha256": sha256(path / FILE_NAME), "manifest": manifest}
    return {"path": str(path)}


def read_manifest(folder: str | Path, stage: str) -> dict[str, Any]:
    """The manifest of an input folder, checked to be the output of `stage`.

    Raises:
        InputError: no such folder, an unfinished one, or the output of another stage.
    """
    folder = Path(folder)
    path = folder / FILE_NAME
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder. It is written by `dnahlm {stage}`; run that first.")
    if not path.is_file():
        raise InputError(f"{folder}: has no {FILE_NAME}, so it is not a finished output of `dnahlm {stage}`.")
    manifest = parse_manifest(path)
    if manifest.get("stage") != stage:
        raise InputError(f"{folder}: is the output of {manifest.get('stage')!r}, but `{stage}` is needed here.")
    return manifest


def parse_manifest(path: Path) -> dict[str, Any]:
    """What a manifest file holds.

    Raises:
        InputError: it is damaged.
    """
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        line = getattr(error, "lineno", 1)
        raise InputError(f"{path}:{line}: not valid JSON ({error}). Run the stage that wrote it again.") from error
    if not isinstance(manifest, dict):
        raise InputError(f"{path}: holds no manifest but {manifest!r:.40}. Run the stage that wrote it again.")
    return manifest


def is_current(folder: Path) -> bool:
    """Whether the inputs a finished stage was made from are still those that lie at their paths."""
    manifest = parse_manifest(folder / FILE_NAME)
    for entry in manifest["inputs"].values():
        source = Path(entry["path"])
        source = source / FILE_NAME if source.is_dir() else source
        if "sha256" in entry and (not source.is_file() or sha256(source) != entry["sha256"]):
            return False
    return True


def library_versions() -> dict[str, str]:
    """Installed versions of Python and the libraries a result depends on."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def git_commit() -> str | None:
    """Commit of the checkout the code runs from, `-dirty` when changed; None for an installed package."""
    folder = Path(__file__).parent
    if not (folder.parent / ".git").exists():
        return None
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None when there is no such file.

    Raises:
        InputError: the file is not a JSON object.
    """
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid JSON ({error}). Copy it again from the training output.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: must hold a JSON object, found {type(content).__name__}.")
    return content


def sha256(path: str | Path) -> str:
    """Hash of one file's bytes, as hex."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as handle:
        for block in iter(lambda: handle.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
