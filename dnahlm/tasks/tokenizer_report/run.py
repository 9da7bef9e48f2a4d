"""The command: tokenizers measured on the same DNA, English and prompts -> report.json, report.md, report.html."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnahlm.io import InputError, require_file, staged_folder
from dnahlm.manifest import StageClock, read_manifest, write_manifest
from dnahlm.tasks.spec import load_task, shipped_tasks
from dnahlm.tasks.tokenizer_report.gpt2 import find_gpt2
from dnahlm.tasks.tokenizer_report.measure import dna_of, draw_english, draw_probes, measure
from dnahlm.tasks.tokenizer_report.page import html, markdown, terminal
from dnahlm.tasks.tokenizer_report.regions import draw_regions
from dnahlm.tokenizer.load import fingerprint, read_tokenizer
from dnahlm.tokenizer.measures.cost import cost
from dnahlm.tokenizer.measures.encoder import Encoder


@dataclass
class TokenizerReportConfig:
    """Settings of `dnahlm tokenizer report`."""

    tokenizers: list[str] = field(metadata={"help": "folders (or hub names) of one or more tokenizers of any kind"})
    output: str = field(metadata={"help": "folder to write report.html, report.md and report.json to"})
    corpus: str | None = field(
        default=None, metadata={"help": "folder written by `dnahlm corpus build`: held-out DNA and English"}
    )
    input: list[str] = field(
        default_factory=list, metadata={"help": "genomes (FASTA, GenBank); lower case (soft-masking) marks repeats"}
    )
    regions: list[str] = field(
        default_factory=list,
        metadata={"help": "name=file: FASTA, BED (with genome) or a table; name=table.csv:label=1 takes these rows"},
    )
    genome: str | None = field(default=None, metadata={"help": "FASTA file the intervals of BED files are cut from"})
    sequence_column: str = field(default="sequence", metadata={"help": "column of the DNA in the tables of regions"})
    data_root: str | None = field(
        default=None, metadata={"help": "folder of task files' data: their train rows, one region per answer"}
    )
    tasks: list[str] = field(
        default_factory=list,
        metadata={"help": "the tasks read from data_root; empty = shipped ones about coding, promoters, enhancers"},
    )
    text: list[str] = field(default_factory=list, metadata={"help": "English, .txt or .txt.gz"})
    gpt2: str | None = field(
        default=None, metadata={"help": "folder of GPT-2's own tokenizer; None looks into the hub's cache on this disk"}
    )
    max_bases: int = field(
        default=1_000_000, metadata={"help": "bases measured per region, and letters of English; more are sampled"}
    )
    n_fuzz: int = field(default=2000, metadata={"help": "random strings of each kind in the round trip"})
    seed: int = field(default=0, metadata={"help": "draws samples, variants, odd letters and random strings"})
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def run(config: TokenizerReportConfig) -> dict[str, Any]:
    """Measure every tokenizer on the same samples, print a table and write the report.

    Raises:
        InputError: a folder that holds no tokenizer, one named twice, a corpus of another format, empty or foreign
            input, or an output in the way.
    """
    clock = StageClock()
    check(config)
    names = short_names(config.tokenizers)
    encoders = [Encoder(read_tokenizer(path), name) for path, name in zip(config.tokenizers, names, strict=True)]
    gpt2, gpt2_missing = find_gpt2(config.gpt2)
    inputs = named_inputs(config)
    with staged_folder(config.output, config.overwrite, inputs.values()) as part:
        regions = draw_regions(dna_of(config), config.max_bases, config.seed)
        english = draw_english(config)
        probes, probes_from = draw_probes(regions, config.seed)
        specs = [load_task(name) for name in shipped_tasks()]
        report = {
            "seed": config.seed,
            "regions": [
                {"name": r.name, "source": r.source, "n": len(r.windows), "bases": sum(map(len, r.windows)),
                 "bases_there": r.n_bases}
                for r in regions
            ],
            "probes": {"n": len(probes), "bases": sum(map(len, probes)), "source": probes_from},
            "gpt2": None if gpt2 is None else cost(gpt2, english),
            "gpt2_missing": gpt2_missing,
            "tokenizers": [measure(encoder, regions, english, probes, specs, config) for encoder in encoders],
        }  # fmt: skip
        (part / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        manifest = write_manifest(
            part, "tokenizer report", config, clock, inputs, {"tokenizers": len(encoders)},
            tokenizers_sha256={encoder.name: fingerprint(encoder.tokenizer) for encoder in encoders},
        )  # fmt: skip
        (part / "report.md").write_text(markdown(report, manifest), encoding="utf-8")
        (part / "report.html").write_text(html(report, manifest), encoding="utf-8")
    print(terminal(report))
    print(f"-> {Path(config.output) / 'report.html'}")
    return report


def check(config: TokenizerReportConfig) -> None:
    """Raise `InputError` for settings that cannot give a report, before anything is read."""
    paths = [Path(path) for path in config.tokenizers]  # a slash at the end makes no other folder
    twice = [path for path in paths if paths.count(path) > 1]
    if twice:
        raise InputError(f"tokenizers: {twice[0]} is named twice. Name each once.")
    if not config.tokenizers:
        raise InputError("tokenizers: none is named. Give the folder of at least one.")
    if config.tasks and not config.data_root:
        raise InputError("tasks: --data_root is needed too, the folder that the files of the tasks lie in.")
    for name in ("max_bases", "n_fuzz"):
        if getattr(config, name) < 1000:
            raise InputError(f"{name}: {getattr(config, name)}; must be 1000 or more, or the figures mean little.")
    if config.corpus:
        read_manifest(config.corpus, "corpus build")
    if config.data_root and not Path(config.data_root).is_dir():
        raise InputError(f"data_root: {config.data_root}: no such folder.")
    for path in (*config.input, *config.text):
        require_file(path, "input")


def short_names(paths: list[str]) -> list[str]:
    """What to call each tokenizer: the end of its path, as long as it takes to tell them apart.

    >>> short_names(["runs/a/tokenizer", "runs/b/tokenizer/"]), short_names(["runs/a/tokenizer", "gpt2"])
    (['a/tokenizer', 'b/tokenizer'], ['tokenizer', 'gpt2'])
    """
    parts = [Path(path).parts for path in paths]
    for n in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-n:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return list(paths)


def named_inputs(config: TokenizerReportConfig) -> dict[str, str]:
    """Name in the manifest -> file or folder that is read."""
    given = {"corpus": config.corpus, "genome": config.genome}
    given |= {f"input {i}": path for i, path in enumerate(config.input)}
    given |= {f"text {i}": path for i, path in enumerate(config.text)}
    given |= {f"tokenizer {i}": path for i, path in enumerate(config.tokenizers) if Path(path).is_dir()}
    return {name: path for name, path in given.items() if path}
