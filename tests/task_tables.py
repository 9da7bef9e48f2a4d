"""Tables made up for a test, in the layout that a task file names: every class in every split, sequences all different."""

import csv
import gzip
import json
import random
from pathlib import Path

LETTERS = "ARNDCQEGHILKMFPSTVWY"


def made_rows(spec, split, per_class=60, seed=0):
    """Rows for one split, as column -> value; DNA of 40 bases, longer than the window where the task cuts to one."""
    rng = random.Random(f"{spec.id} {split} {seed}")
    size = 40 + (spec.window.bases if spec.window.policy != "error" else 0)
    extra = [spec.source.hold_out_by] if spec.source.hold_out_by not in ("sequence", "similarity") else []
    rows = []
    for i in range(per_class * len(spec.labels)):
        row = dict.fromkeys(extra, f"group{i}")
        for name, column in spec.sequence_columns.items():
            row[column] = "".join(rng.choices(LETTERS if name == "protein" else "ACGT", k=size))
        rows.append(row | {spec.label_column: list(spec.labels)[i % len(spec.labels)]})
    return rows


def write_table(path: Path, format: str, rows):
    """One table, gzipped as the shared tables mostly are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(f"{path}.gz", "wt", encoding="utf-8", newline="") as handle:
        if format == "jsonl":
            handle.writelines(json.dumps(row) + "\n" for row in rows)
            return
        writer = csv.DictWriter(handle, list(rows[0]), delimiter="\t" if format == "tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)


def write_local(spec, root: Path):
    """Every file of a task, below a data root."""
    for split, name in spec.source.files.items():
        write_table(root / name, spec.source.format, made_rows(spec, split))


def write_hub_csv(root: Path, specs):
    """A hub data set whose card names configurations, each with a CSV file per split, as GUE has."""
    card = ["---", "configs:"]
    for spec in specs:
        card += [f"  - config_name: {spec.source.config}", "    data_files:"]
        for split, theirs in spec.source.hub_splits.items():
            name = f"GUE/{spec.source.config}/{theirs}.csv"
            card += [f"      - split: {theirs}", f"        path: {name}"]
            rows = made_rows(spec, split, per_class=3)
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            with (root / name).open("w", newline="") as handle:
                writer = csv.DictWriter(handle, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
    (root / "README.md").write_text("\n".join([*card, "---", ""]))


def write_hub_parquet(root: Path, specs):
    """A hub data set with one Parquet file per split, in which tasks that share it have their name in a column."""
    import pyarrow
    import pyarrow.parquet

    (root / "data").mkdir(parents=True)
    for split, theirs in specs[0].source.hub_splits.items():
        rows = [row | spec.source.filter for spec in specs for row in made_rows(spec, split)]
        if not specs[0].source.filter:  # there the labels are numbers
            rows = [row | {spec.label_column: int(row[spec.label_column])} for spec in specs for row in rows]
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), root / "data" / f"{theirs}-00000-of-00001.parquet")
