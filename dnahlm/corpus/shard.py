"""One shard of a corpus: the documents of its share of the files, and a manifest; `dnahlm corpus merge` joins them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dnahlm.corpus.pieces import pieces_of
from dnahlm.corpus.settings import CorpusConfig, settings_of, shard_of
from dnahlm.corpus.sources import Source, share_out
from dnahlm.corpus.store import FILES, StoreWriter
from dnahlm.io import InputError, real, require_apart, staged_folder
from dnahlm.manifest import FILE_NAME, StageClock, is_current, parse_manifest, write_manifest

STAGE = "corpus shard"


def shards_of(output: str | Path) -> Path:
    """The folder that holds the shards of a corpus, beside it.

    >>> shards_of("runs/corpus").name
    'corpus.shards'
    """
    path = real(Path(output))
    return path.with_name(path.name + ".shards")


def build_shard(config: CorpusConfig, sources: list[Source]) -> None:
    """Write the shard that `config.shard` names, unless it is there and complete.

    Raises:
        InputError: another process writes it, or it is there with other settings or of other files.
    """
    number, total = shard_of(config.shard)
    clock = StageClock()
    folder = shards_of(config.output) / f"{number}-of-{total}"
    require_apart(folder, [source.path for source in sources])
    folder.parent.mkdir(parents=True, exist_ok=True)
    with held(folder):
        if (folder / FILE_NAME).is_file() and not config.overwrite:
            require_same(folder, config)
            print(f"{folder}: is complete, with these settings and files; left as it is")
            return
        mine = share_out(sources, number, total)
        with staged_folder(folder, overwrite=True) as part:  # a `.part` is of a run that was killed: none holds it
            write_shard(part, config, mine, [source.name for source in sources], clock)
        n_documents = parse_manifest(folder / FILE_NAME)["counts"]["documents"]
        print(f"shard {number} of {total}: {n_documents:,} documents of {len(mine)} files -> {folder}")
        if not mine:
            print(f"warning: there are {len(sources)} files and {total} shards, so this one is empty")


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep a lock beside a folder; the machine opens it when the process ends, however it ends.

    Raises:
        InputError: another process has it.
    """
    import fcntl

    with folder.with_name(folder.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{folder}: another process writes this shard. Let it end, or end it.") from error
        yield


def require_same(folder: Path, config: CorpusConfig) -> None:
    """Refuse a complete shard that is not the one asked for.

    Raises:
        InputError: naming the settings that differ, or files that have changed.
    """
    made, asked = settings_of(parse_manifest(folder / FILE_NAME)["config"]), settings_of(config)
    if differing := differences(made, asked):
        raise InputError(
            f"{folder}: was made with other settings ({differing}). Pass --overwrite to replace it, or choose another "
            "output."
        )
    if not is_current(folder):
        raise InputError(f"{folder}: the files it was made of have changed. Pass --overwrite to make it again.")


def differences(made: dict[str, Any], asked: dict[str, Any]) -> str:
    """The settings that differ, in words.

    >>> differences({"seed": 1, "text": ["a"]}, {"seed": 2, "text": ["a"]})
    'seed: 1, not 2'
    """
    names = [name for name in {**made, **asked} if made.get(name) != asked.get(name)]
    return "; ".join(f"{name}: {made.get(name)!r}, not {asked.get(name)!r}" for name in names)


def write_shard(part: Path, config: CorpusConfig, mine: list[Source], names: list[str], clock: StageClock) -> None:
    """Read sources once and write their documents and a manifest to a folder.

    Args:
        part: an empty folder.
        config: of the corpus.
        mine: the sources to read.
        names: of all sources of the corpus.
        clock: started with the stage.
    """
    from tqdm import tqdm

    writer = StoreWriter(part, config.near_duplicates)
    n_documents = 0
    with contextlib.closing(writer):
        for source in tqdm(mine, desc="read", unit="file", disable=None):
            pieces = pieces_of(source, config)
            limits = (config.seed, config.validation_share, config.min_piece)
            held_out = writer.add(pieces, source.number, *limits)
            source.counts["validation_records"] = held_out
        n_documents = writer.n_documents
    files = {source.name: source.path for source in mine}
    files |= {config.regions: Path(config.data_root) / config.regions} if config.regions else {}
    write_manifest(
        part, STAGE, config, clock, files,
        {"documents": n_documents, "sources": {s.name: {"kind": s.kind, **s.counts} for s in mine}},
        sources_of_the_corpus=names,
        record_lengths={name: length for source in mine for name, length in source.lengths.items()},
        held_out_records=sorted({name for source in mine for name in source.held_out}),
        some_records=[name for source in mine for name in source.records][:1000],
        bytes={name: (part / name).stat().st_size for name in FILES},
    )  # fmt: skip
