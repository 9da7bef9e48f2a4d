#!/bin/bash
# Purpose: pretrain on several nodes of a SLURM cluster; one task per node, accelerate starts one process per GPU.
# Launch:  sbatch --nodes 2 --gpus-per-node 8 recipes/accelerate/slurm.sh recipes/gpt2_small/4_pretrain.yaml [--key value ...]
# Override: LAUNCH_FILE=recipes/accelerate/zero3.yaml sbatch ...; SCRIPT=recipes/sft.py sbatch ...
#SBATCH --job-name=dnahlm
#SBATCH --ntasks-per-node=1
#SBATCH --signal=TERM@120
set -euo pipefail

recipe=${1:?give a recipe, such as recipes/gpt2_small/4_pretrain.yaml}
shift
launch_file=${LAUNCH_FILE:-recipes/accelerate/multi_node.yaml}
script=${SCRIPT:-recipes/pretrain.py}
first_node=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
gpus=${SLURM_GPUS_ON_NODE:-1}

# A job that is cut off goes on from its last complete checkpoint when it is submitted again with
# --resume_from_checkpoint true.
srun --kill-on-bad-exit=1 bash -c 'exec accelerate launch --config_file "$0" \
  --num_machines "$SLURM_NNODES" --num_processes "$((SLURM_NNODES * '"$gpus"'))" --machine_rank "$SLURM_NODEID" \
  --main_process_ip "'"$first_node"'" --main_process_port "${MASTER_PORT:-29500}" "$@"' \
  "$launch_file" "$script" --config "$recipe" "$@"
