"""Memory and speed of `dnahlm corpus build` and `corpus pack` on inputs of two sizes: does memory stay?

    python eval/benchmarks/corpus.py --data ../shared/data                         # 50 MB and 1 GB of raw text
    python eval/benchmarks/corpus.py --data ../shared/data --megabytes 20 200

The input is simulated from real text (see tokenizer_data.py): half of it FASTA, in records of 100,000 bases, half
English. Each command runs in a process of its own; memory is the peak that the kernel reports for it.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

RECORD = 100_000  # bases
BLOCK = 512  # tokens
DNAHLM = [sys.executable, "-m", "dnahlm"]


def main() -> None:
    """Write the inputs, run the commands on each, print one table."""
    if sys.argv[1:2] == ["raw"]:  # a process of its own: a child's peak starts from what its parent holds
        write_raw(Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with genome/human_genomic.fa.gz and english/*.gz")
    parser.add_argument("--megabytes", type=float, nargs="+", default=[50, 1000], help="of raw text, half of it DNA")
    args = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}\n", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for number, megabytes in enumerate(args.megabytes):
            raw, corpus, tokenizer = root / f"raw_{number}", root / f"corpus_{number}", root / "tokenizer"
            subprocess.run([sys.executable, __file__, "raw", raw, args.data, str(megabytes)], check=True)
            build = ["corpus", "build", "--data_root", raw, "--dna", "genome.fa", "--text", "english.txt"]
            build += ["--dna_share", "0", "--output", corpus]
            rows.append((megabytes, "corpus build", *measured(build)))
            if not tokenizer.exists():
                measured(["tokenizer", "train", "--corpus", corpus, "--output", tokenizer, "--vocab_size", 4096])
            pack = ["corpus", "pack", "--corpus", corpus, "--tokenizer", tokenizer, "--block_size", BLOCK]
            pack += ["--output", root / f"blocks_{number}"]
            rows.append((megabytes, "corpus pack", *measured(pack)))
    print("\n| raw MB | command | seconds | CPU seconds | MB a second | peak MB |\n|---|---|---|---|---|---|")
    for megabytes, command, seconds, cpu, peak in rows:
        print(f"| {megabytes:g} | {command} | {seconds:.0f} | {cpu:.0f} | {megabytes / seconds:.1f} | {peak:.0f} |")
    for command in ("corpus build", "corpus pack"):
        peaks = [peak for _, name, _, _, peak in rows if name == command]
        text, memory = args.megabytes[-1] / args.megabytes[0], peaks[-1] / peaks[0]
        print(f"\n{command}: {text:g} times the text, {memory:.2f} times the memory")


def write_raw(folder: Path, data: Path, megabytes: float) -> None:
    """Write `genome.fa` and `english.txt`."""
    import numpy as np
    import tokenizer_data

    folder.mkdir()
    half = megabytes * 5e5
    dna = tokenizer_data.Dna(data, np.random.default_rng(0)).documents()
    with (folder / "genome.fa").open("w") as handle:
        for number in range(max(1, round(half / RECORD))):
            handle.write(f">record{number}\n{''.join(up_to(dna, RECORD))}\n")
    with (folder / "english.txt").open("w") as handle:
        for paragraph in up_to(tokenizer_data.English(data, 0).documents(), half):
            handle.write(f"{paragraph}\n\n")


def up_to(documents: Iterator[str], characters: float) -> Iterator[str]:
    """Documents until there are so many characters."""
    total = 0
    while total < characters:
        text = next(documents)
        total += len(text)
        yield text


def measured(command: list[object]) -> tuple[float, float, float]:
    """Run a command of dnahlm; seconds, CPU seconds and peak resident memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen([*DNAHLM, *map(str, command)])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))}: status {status}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
