#!/bin/sh
# The whole route on the data in the folder $1, on 8 GPUs (`--num_processes N` behind the launch file for another number).
set -eu
dnahlm corpus build       --config recipes/gpt2_small/1_corpus.yaml --data_root "$1"
dnahlm tokenizer extend   --config recipes/gpt2_small/2_extend.yaml
dnahlm corpus pack        --config recipes/gpt2_small/3_pack.yaml
accelerate launch --config_file recipes/accelerate/zero2.yaml recipes/pretrain.py --config recipes/gpt2_small/4_pretrain.yaml
dnahlm instructions build --config recipes/gpt2_small/5_instructions.yaml --data_root "$1"
accelerate launch --config_file recipes/accelerate/zero2.yaml recipes/sft.py --config recipes/gpt2_small/6_sft.yaml
dnahlm evaluate           --config recipes/gpt2_small/7_evaluate.yaml
