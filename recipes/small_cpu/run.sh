#!/bin/sh
# The whole route on real data in the folder $1, stage by stage, on two CPU cores; 9_head.yaml is for comparison and optional.
set -eu
launch="env OMP_NUM_THREADS=1 accelerate launch --config_file recipes/accelerate/two_cpus.yaml"
dnahlm corpus build       --config recipes/small_cpu/1_corpus.yaml --data_root "$1"
dnahlm tokenizer train    --config recipes/small_cpu/2_tokenizer.yaml
dnahlm corpus pack        --config recipes/small_cpu/3_pack.yaml
$launch recipes/pretrain.py --config recipes/small_cpu/4_pretrain.yaml
dnahlm instructions build --config recipes/small_cpu/5_instructions.yaml --data_root "$1"
dnahlm distill            --config recipes/small_cpu/6_distill.yaml
$launch recipes/sft.py      --config recipes/small_cpu/7_sft.yaml
dnahlm evaluate           --config recipes/small_cpu/8_evaluate.yaml
# python recipes/class_head.py --config recipes/small_cpu/9_head.yaml
