"""FASTA, text, data sets of the hub and proteins -> corpus/{train,validation}/: documents, cleaned, split and mixed."""

from __future__ import annotations

from typing import Any

from dnahlm.corpus.card import licences_of, print_facts
from dnahlm.corpus.merge import merge
from dnahlm.corpus.settings import CorpusConfig, check_settings
from dnahlm.corpus.shard import build_shard, write_shard
from dnahlm.corpus.sources import all_sources
from dnahlm.io import remove, staged_folder
from dnahlm.manifest import StageClock

__all__ = ["CorpusConfig", "run"]


def run(config: CorpusConfig) -> dict[str, Any] | None:
    """Build the corpus, or the one shard that `config.shard` names; every file is read once.

    Returns:
        the manifest of the corpus, None of a shard.

    Raises:
        InputError: bad settings, a pattern that matches nothing, a file that cannot be used, nothing left to write.
    """
    clock = StageClock()
    check_settings(config)
    sources = all_sources(config)
    licences_of(config, [source.name for source in sources])
    if config.shard:
        return build_shard(config, sources)
    with staged_folder(config.output, config.overwrite, [source.path for source in sources]) as part:
        only = part / "shard"
        only.mkdir()
        write_shard(only, config, sources, [source.name for source in sources], clock)
        manifest = merge(part, [only], config.output, clock)
        remove(only)
    print_facts(config.output, manifest["counts"])
    return manifest
