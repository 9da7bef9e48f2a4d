"""Which levers of fine-tuning pay: variants of one recipe, each changed in one thing, scored on validation rows only.

    python eval/studies/sft_levers.py --data_root FOLDER --output runs/sft_levers --seeds 0 1 2
    python eval/studies/sft_levers.py --data_root FOLDER --output runs/sft_levers --variants base gpt2 --max_steps 2000

Writes `levers.md` (a table), `levers.png` (a figure) and `variants/NAME-SEED.json`. Stages that two variants have in
common are run once; a stage or a variant that is complete is kept, so that the same command goes on after a stop. All
variants see the same number of examples, in one process; test rows are never read. `--common` changes the base for all
variants: `--common '{"instructions": {"max_train_rows": 200}}'`.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sft_variants import VARIANTS

from dnahlm.config import load_yaml
from dnahlm.evaluation.metrics import mcc
from dnahlm.inference.calibrate_checkpoint import words_of
from dnahlm.inference.ensemble import member_probabilities
from dnahlm.inference.load import load
from dnahlm.manifest import FILE_NAME
from dnahlm.tasks.instructions import read_instructions

ROOT = Path(__file__).parents[2]
# stage -> (file of the recipe, how it is started, {option: stage it reads})
STAGES: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "corpus": ("1_corpus.yaml", ["-m", "dnahlm", "corpus", "build"], {}),
    "tokenizer": ("2_tokenizer.yaml", ["-m", "dnahlm", "tokenizer", "train"], {"corpus": "corpus"}),
    "pack": (
        "3_pack.yaml", ["-m", "dnahlm", "corpus", "pack"], {"corpus": "corpus", "tokenizer": "tokenizer"},
    ),
    "pretrain": ("4_pretrain.yaml", [str(ROOT / "recipes" / "pretrain.py")], {"blocks": "pack"}),
    "instructions": ("5_instructions.yaml", ["-m", "dnahlm", "instructions", "build"], {"corpus": "corpus"}),
    "distill": ("6_distill.yaml", ["-m", "dnahlm", "distill"], {"instructions": "instructions"}),
    "sft": (
        "7_sft.yaml", [str(ROOT / "recipes" / "sft.py")],
        {"model_name_or_path": "pretrain", "instructions": "instructions", "distilled": "distill"},
    ),
}  # fmt: skip
SEEDED = ("pretrain", "sft")


def main() -> None:
    """Run the variants that are not there yet, then write table and figure of all that are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_root", required=True, help="folder of genome/, english/ and the tables")
    parser.add_argument("--output", required=True)
    parser.add_argument("--recipe", default=str(ROOT / "recipes" / "small_cpu"))
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--max_steps", type=int, default=0, help="of fine-tuning; 0 = the recipe's")
    parser.add_argument("--common", type=json.loads, default={}, help="JSON: overrides of stages, for all variants")
    arguments = parser.parse_args()
    results = Path(arguments.output) / "variants"
    results.mkdir(parents=True, exist_ok=True)
    require_same_settings(arguments)
    for seed in arguments.seeds:
        for name in arguments.variants:
            path = results / f"{slug(name)}-{seed}.json"
            if not path.is_file():
                found = {"variant": name, "seed": seed, **run_variant(name, seed, arguments)}
                path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
                print(f"{name}, seed {seed}: mean MCC {np.mean(list(found['mcc'].values())):.3f}", flush=True)
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in results.glob("*.json")]
    write_table(rows, Path(arguments.output) / "levers.md")
    draw(rows, Path(arguments.output) / "levers.png")


def require_same_settings(arguments: argparse.Namespace) -> None:
    """Stop when the output holds variants of other settings: figures of two budgets do not stand in one table."""
    path = Path(arguments.output) / "settings.json"
    settings = {"recipe": arguments.recipe, "max_steps": arguments.max_steps, "common": arguments.common}
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != settings:
        sys.exit(f"{path}: the variants there were run with other settings. Give those, or another --output.")
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def run_variant(name: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Validation MCC of each task, parameters and seconds of tuning of one variant."""
    variant = VARIANTS[name]
    recipe = Path(arguments.recipe)
    steps = arguments.max_steps or load_yaml(recipe / STAGES["sft"][0])["max_steps"]
    tasks = (
        arguments.common.get("instructions", {}).get("tasks") or load_yaml(recipe / STAGES["instructions"][0])["tasks"]
    )
    groups = [[task] for task in tasks] if variant.get("single") else [tasks]
    found: dict[str, Any] = {"mcc": {}, "seconds": 0.0}
    for group in groups:
        changes = {stage: arguments.common.get(stage, {}) | variant.get(stage, {}) for stage in STAGES}
        changes["instructions"] = changes["instructions"] | {"tasks": group}
        changes["sft"] = {"max_steps": max(1, steps // len(groups))} | changes["sft"]
        folders = run_stages(changes, seed, arguments)
        manifest = json.loads((folders["sft"] / FILE_NAME).read_text(encoding="utf-8"))
        found["mcc"] |= measure(folders["sft"], folders["instructions"], variant.get("ensemble", []))
        found["seconds"] += manifest["seconds"]
        found["parameters"] = manifest["counts"]["parameters"]
    return found


def run_stages(changes: dict[str, dict[str, Any]], seed: int, arguments: argparse.Namespace) -> dict[str, Path]:
    """The folder of every stage with these overrides; those that are complete are not run again."""
    folders: dict[str, Path] = {}
    for stage, (file, start, reads) in STAGES.items():
        options = {**{option: str(folders[source]) for option, source in reads.items()}, **changes[stage]}
        options |= {"seed": seed} if stage in SEEDED else {}
        digest = hashlib.sha256(json.dumps([stage, options], sort_keys=True).encode()).hexdigest()[:12]
        folders[stage] = Path(arguments.output) / "stages" / f"{stage}-{digest}"
        if (folders[stage] / FILE_NAME).is_file():
            continue
        own = recipe_without(Path(arguments.recipe) / file, options, folders[stage])
        command = [sys.executable, *start, "--config", str(own)]
        options[("output_dir" if stage in SEEDED else "output")] = str(folders[stage])
        options |= {"data_root": arguments.data_root} if stage in ("corpus", "instructions") else {}
        for option, value in options.items():
            if value is not None:
                values = value if isinstance(value, list) else [value]
                command += [f"--{option}", *(str(v).lower() if isinstance(v, bool) else str(v) for v in values)]
        print(" ".join(command[1:]), flush=True)
        subprocess.run(command, check=True)
    return folders


def recipe_without(file: Path, options: dict[str, Any], folder: Path) -> Path:
    """The recipe without the keys a variant takes out (None): the command line cannot unset one."""
    kept = {key: value for key, value in load_yaml(file).items() if options.get(key, "") is not None}
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.with_suffix(".yaml")
    path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")  # JSON is YAML
    return path


def measure(checkpoint: Path, instructions: Path, ensemble: list[str]) -> dict[str, float]:
    """MCC of each task on all its validation rows, calibrated, averaged over the ways an ensemble asks."""
    loaded = load(checkpoint)
    rows: dict[str, list[dict[str, Any]]] = {}
    for record in read_instructions(instructions / "validation.jsonl"):
        rows.setdefault(record["task"], []).append(record)
    found = {}
    for task, records in rows.items():
        spec = loaded.tasks[task]
        ways = [way for way in ensemble if way != "strands" or spec.strand_symmetric]
        chances = member_probabilities(loaded, spec, records, ways).mean(axis=0)
        words = words_of(spec, records)
        found[task] = mcc([words[k] for k in chances.argmax(axis=1)], [record["output"] for record in records])
    return found


def summaries(rows: list[dict[str, Any]]) -> list[tuple[str, np.ndarray, list[dict[str, Any]]]]:
    """Variant, mean MCC of each seed, rows; in the order of the table of variants."""
    found = []
    for name in VARIANTS:
        own = [row for row in rows if row["variant"] == name]
        if own:
            found.append((name, np.array([np.mean(list(row["mcc"].values())) for row in own]), own))
    return found


def write_table(rows: list[dict[str, Any]], path: Path) -> None:
    """`levers.md`: mean and spread over seeds, the difference from the base, every task."""
    found = summaries(rows)
    tasks = list(dict.fromkeys(task for row in rows for task in row["mcc"]))
    base = next((values.mean() for name, values, _ in found if name == "base"), float("nan"))
    columns = ["variant", "seeds", "mean MCC", "sd", "beside base", "M parameters", "minutes of tuning", *tasks]
    lines = [
        "MCC on validation rows; no test row was read.",
        "",
        f"| {' | '.join(columns)} |",
        "|---" * len(columns) + "|",
    ]
    for name, values, own in found:
        spread = f"{values.std(ddof=1):.3f}" if len(values) > 1 else "-"
        cells = [name, str(len(values)), f"{values.mean():.3f}", spread, f"{values.mean() - base:+.3f}"]
        cells += [f"{own[0]['parameters'] / 1e6:.2f}", f"{np.mean([row['seconds'] for row in own]) / 60:.1f}"]
        cells += [f"{np.mean([row['mcc'][task] for row in own]):.3f}" for task in tasks]
        lines.append(f"| {' | '.join(cells)} |")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """`levers.png`: a bar for each variant, a point for each seed."""
    found = summaries(rows)[::-1]
    figure = Figure(figsize=(7, 1 + 0.28 * len(found)), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.barh([name for name, _, _ in found], [values.mean() for _, values, _ in found], color="#9db8d2")
    for place, (_, values, _) in enumerate(found):
        axes.plot(values, [place] * len(values), "o", color="#1f3b57", markersize=3)
    axes.set(xlabel="mean MCC over tasks, validation rows")
    axes.grid(alpha=0.3, axis="x")
    figure.savefig(path)


def slug(name: str) -> str:
    """A variant's name as a file name.

    >>> slug("6-mers, random phase")
    '6-mers_random_phase'
    """
    return re.sub(r"[^A-Za-z0-9-]+", "_", name)


if __name__ == "__main__":
    main()
