#!/bin/bash
# Purpose: build a corpus on many machines of a SLURM cluster: a shard per task of an array, each by files of its own.
# Launch:  sbatch --array 1-8 recipes/corpus/slurm.sh recipes/gpt2_small/1_corpus.yaml --output runs/corpus [--key value ...]
# After:   dnahlm corpus merge --output runs/corpus
# Again:   the same command after a failure; complete shards are left as they are.
#SBATCH --job-name=dnahlm-corpus
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
set -euo pipefail

recipe=${1:?give a recipe, such as recipes/gpt2_small/1_corpus.yaml}
shift
# The last number, not how many run now: `--array 3` alone makes a missing shard again with SHARDS=8.
total=${SHARDS:-$SLURM_ARRAY_TASK_MAX}
exec dnahlm corpus build --config "$recipe" --shard "$SLURM_ARRAY_TASK_ID/$total" "$@"
