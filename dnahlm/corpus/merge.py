"""corpus.shards/ -> corpus/: the shards of `dnahlm corpus build --shard i/n` as the corpus that one build gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnahlm.corpus.card import print_facts, write_card
from dnahlm.corpus.mix import mix
from dnahlm.corpus.settings import CorpusConfig, settings_of
from dnahlm.corpus.shard import STAGE, differences, shards_of
from dnahlm.corpus.sources import check_names
from dnahlm.corpus.store import Store
from dnahlm.io import InputError, staged_folder
from dnahlm.manifest import FILE_NAME, StageClock, read_manifest, write_manifest


@dataclass
class CorpusMergeConfig:
    """Settings of `dnahlm corpus merge`."""

    output: str = field(metadata={"help": "folder to write the corpus to, as given to `corpus build --shard i/n`"})
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def run(config: CorpusMergeConfig) -> dict[str, Any]:
    """Join the shards that lie beside the output; they stay.

    Raises:
        InputError: a shard is missing or damaged, or two are not of one corpus.
    """
    clock = StageClock()
    folders = find_shards(shards_of(config.output))
    with staged_folder(config.output, config.overwrite) as part:
        manifest = merge(part, folders, config.output, clock)
    print_facts(config.output, manifest["counts"])
    print(f"{folders[0].parent} is needed no more and may be deleted")
    return manifest


def find_shards(place: Path) -> list[Path]:
    """The folders of all shards, in order.

    Raises:
        InputError: there are none, some are missing, or there are shards of different numbers.
    """
    found = {}
    for path in place.glob("*-of-*"):
        number, _, total = path.name.partition("-of-")
        if path.is_dir() and number.isdigit() and total.isdigit():
            found[int(number), int(total)] = path
    if not found:
        raise InputError(f"{place}: holds no shard. `dnahlm corpus build --shard 1/8 ...` to 8/8 writes eight.")
    totals = sorted({total for _, total in found})
    if len(totals) > 1:
        raise InputError(
            f"{place}: holds shards of {' and of '.join(map(str, totals))}. Delete those of the other numbers."
        )
    missing = [number for number in range(1, totals[0] + 1) if (number, totals[0]) not in found]
    if missing:
        raise InputError(
            f"{place}: of {totals[0]} shards these are missing or not complete: {', '.join(map(str, missing[:20]))}"
            f"{' ...' if len(missing) > 20 else ''}. Build them with the same settings and --shard "
            f"{missing[0]}/{totals[0]}; complete ones are left as they are."
        )
    return [found[key] for key in sorted(found)]


def merge(part: Path, folders: list[Path], output: str, clock: StageClock) -> dict[str, Any]:
    """Join complete shards to a corpus, card and manifest in `part`; returns the manifest.

    Raises:
        InputError: they are not of one corpus, one is damaged, a name in the settings is in no file, or nothing
            is left.
    """
    manifests = [read_manifest(folder, STAGE) for folder in folders]
    for folder, manifest in zip(folders, manifests, strict=True):
        require_alike(folders[0], manifests[0], folder, manifest)
        require_whole(folder, manifest)
    config = CorpusConfig(**{**manifests[0]["config"], "output": output, "shard": None})
    facts = [(m["record_lengths"], m["held_out_records"], m["some_records"]) for m in manifests]
    lengths = {name: length for found, _, _ in facts for name, length in found.items()}
    held_out = {name for _, found, _ in facts for name in found}
    check_names(config, lengths, held_out, [name for _, _, found in facts for name in found][:1000])
    stores: list[Store] = []
    for folder in folders:
        stores.append(Store(folder, sum(store.n_documents for store in stores)))
    names = manifests[0]["sources_of_the_corpus"]
    counts, found = mix(stores, part, config, len(names))
    read = {name: source for manifest in manifests for name, source in manifest["counts"]["sources"].items()}
    for number, name in enumerate(names):
        read[name] |= {key: int(lost[number]) for key, lost in found.lost.items()}
    counts["sources"] = {name: read[name] for name in names}
    inputs = {name: entry for manifest in manifests for name, entry in manifest["inputs"].items()}
    manifest = write_manifest(part, "corpus build", config, clock, inputs, counts)
    write_card(part, manifest)
    return manifest


def require_alike(first: Path, one: dict[str, Any], other_folder: Path, other: dict[str, Any]) -> None:
    """Refuse two shards that are not of one corpus.

    Raises:
        InputError: they have other settings, other files or another version of dnahlm.
    """
    differing = differences(settings_of(one["config"]), settings_of(other["config"]))
    for name in ("sources_of_the_corpus", "dnahlm"):
        if not differing and one[name] != other[name]:
            differing = differences({name: one[name]}, {name: other[name]})[:400]
    if differing:
        raise InputError(
            f"{other_folder}: is not of one corpus with {first.name} ({differing}). Build it again with --overwrite."
        )


def require_whole(folder: Path, manifest: dict[str, Any]) -> None:
    """Refuse a shard whose files are not as long as they were.

    Raises:
        InputError: naming the file.
    """
    for name, size in manifest["bytes"].items():
        found = (folder / name).stat().st_size if (folder / name).is_file() else "none"
        if found != size:
            raise InputError(
                f"{folder / name}: has {found} bytes where {FILE_NAME} says {size}. Build this shard again with "
                "--overwrite."
            )
