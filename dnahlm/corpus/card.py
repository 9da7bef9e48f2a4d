"""README.md of a corpus folder and what the command prints, written from the manifest, so that no figure is retyped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dnahlm.config import did_you_mean
from dnahlm.corpus.settings import KINDS, NAMES, UNITS, CorpusConfig
from dnahlm.io import InputError
from dnahlm.values import read_object

SPLITS = ("train", "validation")
# key of a source's counts -> what the card calls it
LOST = {
    "held_out_bases": "in records held out",
    "bases_outside_regions": "outside the regions", "n_bases_dropped": "N, or a IUPAC letter read as N",
    "short_run_bases_dropped": "in records, or in runs between N, that are shorter than a piece",
}  # fmt: skip
SIZE = {"dna": "bases", "text": "characters", "protein": "residues"}  # key of a source's counts


def licences_of(config: CorpusConfig | dict[str, Any], sources: list[str]) -> dict[str, str]:
    """Source -> its licence, as stated in the settings.

    Raises:
        InputError: not a mapping of text, or a name that no source has.
    """
    given = config.get("licences") if isinstance(config, dict) else config.licences
    if isinstance(given, str):
        given = read_object(given, "licences", '{"genome/human.fa.gz": "public domain"}')
    for name, licence in (given or {}).items():
        if name not in sources:
            raise InputError(f"licences: no source is called {name!r}. {did_you_mean(name, sources)[:300]}")
        if not isinstance(licence, str):
            raise InputError(f"licences: {name}: found {licence!r}; text is needed, such as 'CC BY 4.0'.")
    return given or {}


def write_card(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `folder/README.md` for a finished corpus."""
    counts, config = manifest["counts"], manifest["config"]
    lines = [f"# {folder.name.removesuffix('.part')}", "", "A corpus written by `dnahlm corpus build`.", ""]
    lines += ["## What it holds", "", *split_table(counts), "", *how_it_was_cut(config, kinds_in(counts)), ""]
    lines += ["## Where it comes from", "", *source_table(manifest), ""]
    lines += ["Where no licence is stated it is that of the source; this folder adds none.", ""]
    lines += lost_lines(counts["sources"])
    lines += [f"Made {manifest['created']} with seed {manifest['seed']}; every setting is in `manifest.json`.", ""]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")


def kinds_in(counts: dict[str, Any]) -> list[str]:
    """The kinds to speak of: DNA and English, which a warning tells of when absent, and protein where there is some."""
    found = {source["kind"] for source in counts["sources"].values()}
    return [kind for kind in KINDS if kind != "protein" or kind in found]


def split_table(counts: dict[str, Any]) -> list[str]:
    """Documents, characters and shares per split and kind."""
    lines = ["| split | kind | documents | characters | words | share of characters | left out by the mix |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for split in SPLITS:
        for kind in kinds_in(counts):
            found = counts[split][kind]
            words = f"{found['words']:,}" if kind == "text" else "-"
            lines.append(
                f"| {split} | {NAMES[kind]} | {found['documents']:,} | {found['characters']:,} | {words} "
                f"| {share_of(counts[split], kind):.1%} | {found['characters_left_out_by_the_mix']:,} |"
            )
    return [*lines, "", "Shares of tokens are known once a tokenizer is: `dnahlm corpus pack` prints and keeps them."]


def share_of(split: dict[str, Any], kind: str) -> float:
    """The share of the characters of a split."""
    total = sum(split[kind]["characters"] for kind in KINDS)
    return split[kind]["characters"] / total if total else 0.0


def how_it_was_cut(config: dict[str, Any], kinds: list[str]) -> list[str]:
    """How documents were made and parted, in words."""
    strands = "from a random strand" if config["both_strands"] else "from the forward strand"
    regions = f", inside the intervals of {config['regions']}" if config["regions"] else ""
    near = " Near-duplicates (about 0.7 of their words in common) are there once too." * config["near_duplicates"]
    return [
        f"DNA: pieces of {config['min_piece']:,} to {config['max_piece']:,} bases, read {strands}{regions}; none "
        "crosses the end of a record or an N. English: as the files part it."
        + f" Proteins: whole, or in parts of at most {config['max_piece']:,} residues."
        * ("protein" in kinds),
        f"Validation: whole records (of one long record of DNA its end), {config['validation_share']:.1%} of each file "
        f"or so; of English the last records of each file. Exact copies, of DNA on either strand, are there once.{near}"
        " Of documents that are alike the one in validation stays.",
    ]


def source_table(manifest: dict[str, Any]) -> list[str]:
    """One line for each file that was read."""
    sources = manifest["counts"]["sources"]
    licences = licences_of(manifest["config"], list(sources))
    columns = ["source", "kind", "records", "bases, characters or residues", "lower case (repeats)",
               "validation records", "copies", "near-duplicates", "licence", "sha256"]  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, source in sources.items():
        size = source[SIZE[source["kind"]]]
        masked = f"{source['lower_case_bases'] / size:.1%}" if source["kind"] == "dna" and size else "-"
        digest = manifest["inputs"][name].get("sha256")
        lines.append(
            f"| {name} | {NAMES[source['kind']]} | {source['records']:,} | {size:,} | {masked} "
            f"| {source['validation_records'] or 'the end of one'} | {source['duplicate_documents']:,} "
            f"| {source['near_duplicate_documents']:,} | {licences.get(name, 'not stated')} "
            f"| {f'`{digest[:16]}`' if digest else 'not a file'} |"
        )
    return lines


def lost_lines(sources: dict[str, dict[str, Any]]) -> list[str]:
    """What of the sources is in no document, and why."""
    lost = {text: sum(source.get(key, 0) for source in sources.values()) for key, text in LOST.items()}
    bases = sum(source["bases"] for source in sources.values() if source["kind"] == "dna")
    lines = [f"- {n:,} bases ({n / bases:.2%}) {text}" for text, n in lost.items() if n]
    if without := sum(source.get("records_without_a_document", 0) for source in sources.values()):
        lines.append(f"- {without:,} records gave no document: no run of known letters in them is as long as a piece")
    for key, words in (("duplicate", "copies of others"), ("near_duplicate", "near-duplicates of others")):
        documents, characters = (
            sum(source[f"{key}_{unit}"] for source in sources.values()) for unit in ("documents", "characters")
        )
        lines += [f"- {documents:,} documents ({characters:,} characters) that were {words}"] if documents else []
    return ["## What was left out", "", *lines, ""] if lines else []


def print_facts(output: str, counts: dict[str, Any]) -> None:
    """One line per source and per split, with numbers and units; a warning when DNA or English is absent."""
    for name, source in counts["sources"].items():
        found = {key.replace("_", " "): value for key, value in source.items() if key != "kind" and value}
        facts = ", ".join(f"{value:,} {key}" for key, value in found.items())
        print(f"read {name} ({source['kind']}): {facts}")
    kinds = kinds_in(counts)
    for split in SPLITS:
        found = counts[split]
        parts = [
            f"{found[kind]['documents']:,} {NAMES[kind]} documents ({found[kind]['characters'] / 1e6:.2f} M "
            f"{UNITS[kind]}, {share_of(found, kind):.1%})"
            for kind in kinds
        ]
        left_out = [f"{found[k]['characters_left_out_by_the_mix'] / 1e6:.2f} M {UNITS[k]}" for k in kinds]
        print(f"{split}: {', '.join(parts)}; left out by the mix: {', '.join(left_out)} -> {output}/{split}")
        for kind in kinds:
            if not found[kind]["documents"]:
                print(f"warning: {split} holds no {NAMES[kind]}")
