"""Which files and data sets a corpus is made of, and which shard reads which."""

from dataclasses import dataclass, field
from pathlib import Path

from dnahlm.config import did_you_mean
from dnahlm.corpus.settings import CorpusConfig
from dnahlm.io import InputError
from dnahlm.readers.intervals import merged_regions

HUB_KEYS = {"config": None, "split": "train", "column": "text"}
NAMES_KEPT = 1000  # of records, to suggest one for a misspelt name


@dataclass
class Source:
    """One input file or data set of the hub, and what its reading found."""

    path: Path
    name: str  # relative to the data root where it lies inside
    kind: str  # dna | text | protein
    hub: tuple[str, str | None, str, str] | None = None  # name, configuration, split, column
    number: int = 0  # among all sources of the corpus
    counts: dict[str, int] = field(default_factory=dict)
    # record id -> merged (start, end) that may be used, sorted; None = all of every record
    regions: dict[str, list[tuple[int, int]]] | None = None
    lengths: dict[str, int] = field(default_factory=dict)  # of the records that `regions` names, in bases
    held_out: set[str] = field(default_factory=set)  # records left out, as was asked for
    records: list[str] = field(default_factory=list)  # the first ids

    def note(self, record_id: str, length: int) -> None:
        """Keep of a record what `held_out_records` and `regions` are checked against."""
        if len(self.records) < NAMES_KEPT:
            self.records.append(record_id)
        if self.regions and record_id in self.regions:
            self.lengths[record_id] = length

    def parts(self, record_id: str, length: int) -> list[tuple[int, int]]:
        """What of a record of `length` bases may be used.

        >>> Source(Path("x"), "x", "dna", regions={"chr1": [(10, 20), (30, 40)]}).parts("chr1", 35)
        [(10, 20), (30, 35)]
        """
        if self.regions is None:
            return [(0, length)]
        return [(a, min(b, length)) for a, b in self.regions.get(record_id, []) if a < length]


def all_sources(config: CorpusConfig) -> list[Source]:
    """Every source of a corpus, numbered: DNA, English, the hub's, proteins.

    Raises:
        InputError: a pattern that matches nothing, a BED file that cannot be read, or a bad entry of `hub`.
    """
    sources = find_sources(config.dna, config.data_root, "dna")
    if config.regions:
        regions = merged_regions(Path(config.data_root) / config.regions)
        for source in sources:
            source.regions = regions
    sources += find_sources(config.text, config.data_root, "text")
    sources += [hub_source(entry, config.data_root) for entry in config.hub]
    sources += find_sources(config.protein, config.data_root, "protein")
    for number, source in enumerate(sources):
        source.number = number
    return sources


def hub_source(entry: str, data_root: str) -> Source:
    """The source that an entry of `hub` names; a folder of that name under `data_root` comes before the hub.

    Raises:
        InputError: an entry that is not a name and `key=value`s.

    >>> hub_source("owner/set config=raw split=test", "").hub
    ('owner/set', 'raw', 'test', 'text')
    """
    name, *rest = entry.split() or [""]
    given = dict(part.partition("=")[::2] for part in rest)
    for key, value in given.items():
        if key not in HUB_KEYS or not value:
            raise InputError(f"hub: {entry!r}: found {key!r}. {did_you_mean(key, list(HUB_KEYS))}, each as key=value.")
    if not name or "=" in name:
        raise InputError(f"hub: {entry!r} names no data set. Write 'NAME config=C split=train column=text'.")
    folder = Path(data_root) / name
    place = str(folder) if folder.is_dir() else name
    return Source(Path(place), entry, "text", hub=(place, *(HUB_KEYS | given).values()))


def share_out(sources: list[Source], number: int, total: int) -> list[Source]:
    """The sources of shard `number` (1..`total`): the largest first, each to the shard with least to read so far."""
    load = [0] * total
    mine = []
    sizes = {source.number: 1 << 40 if source.hub else source.path.stat().st_size for source in sources}
    for source in sorted(sources, key=lambda source: (-sizes[source.number], source.number)):
        least = load.index(min(load))
        load[least] += sizes[source.number]
        mine += [source] if least == number - 1 else []
    return sorted(mine, key=lambda source: source.number)


def find_sources(patterns: list[str], data_root: str, kind: str) -> list[Source]:
    """The files that paths or glob patterns (relative to `data_root`) name, each once, in order.

    Raises:
        InputError: a pattern that matches nothing.
    """
    root = Path(data_root)
    found: dict[Path, Source] = {}
    for pattern in patterns:
        paths = [root / pattern] if (root / pattern).is_file() else expand(root, pattern)
        if not paths:
            is_folder = (root / pattern).is_dir()
            folder = root / pattern if is_folder else (root / pattern).parent
            holds = ", ".join(sorted(p.name for p in folder.iterdir())[:12]) if folder.is_dir() else ""
            seen = f"{folder} holds {holds or 'nothing'}" if folder.is_dir() else f"there is no folder {folder}"
            raise InputError(
                f"{root / pattern}: {'is a folder; ' if is_folder else ''}no file matches (under `{kind}`); {seen}. "
                "Fix the name or pattern, or point data_root to the folder that holds it."
            )
        for path in paths:
            name = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
            found.setdefault(path.resolve(), Source(path, name, kind))
    return list(found.values())


def expand(root: Path, pattern: str) -> list[Path]:
    """Files that match a glob pattern under `root`, or an absolute one, in order."""
    if Path(pattern).is_absolute():
        root = Path(Path(pattern).anchor)
        pattern = str(Path(pattern).relative_to(root))
    try:
        return sorted(path for path in root.glob(pattern) if path.is_file())
    except (ValueError, IndexError):  # an empty pattern, "." or a misplaced "**"
        return []


def check_names(config: CorpusConfig, lengths: dict[str, int], held_out: set[str], records: list[str]) -> None:
    """Hold the names in the settings against what all sources have.

    Args:
        config: its `regions` and `held_out_records` are checked.
        lengths: of the records that the regions name, in bases.
        held_out: the records that were held out.
        records: ids to suggest one from.

    Raises:
        InputError: a held-out record or a region's chromosome that no file has, or a region beyond the end of it.
    """
    for name in sorted(set(config.held_out_records) - held_out):
        raise InputError(f"held_out_records: no DNA file has a record {name!r}. {did_you_mean(name, records)[:300]}")
    if not config.regions or not config.dna:
        return
    for chrom, parts in merged_regions(Path(config.data_root) / config.regions).items():
        if chrom not in lengths:
            hint = did_you_mean(chrom, records)[:300]
            raise InputError(f"{config.regions}: chromosome {chrom!r} is a record of no DNA file. {hint}")
        if parts[-1][1] > lengths[chrom]:
            raise InputError(
                f"{config.regions}: an interval of {chrom} ends at {parts[-1][1]:,}, beyond its {lengths[chrom]:,} "
                "bases. Is the BED file made for another assembly?"
            )
