#!/bin/sh
# The whole route on the data in the folder $1, on 8 GPUs (`--num_processes N` behind the launch file for another number).
set -eu
dnahlm corpus build       --config recipes/llama_lora/1_corpus.yaml --data_root "$1"
dnahlm tokenizer extend   --config recipes/llama_lora/2_extend.yaml
dnahlm corpus pack        --config recipes/llama_lora/3_pack.yaml
dnahlm model fit          --config recipes/llama_lora/4_fit.yaml
accelerate launch --config_file recipes/accelerate/zero2.yaml recipes/pretrain.py --config recipes/llama_lora/5_pretrain.yaml
dnahlm model merge        --config recipes/llama_lora/6_merge.yaml
dnahlm instructions build --config recipes/llama_lora/7_instructions.yaml --data_root "$1"
accelerate launch --config_file recipes/accelerate/zero2.yaml recipes/sft.py --config recipes/llama_lora/8_sft.yaml
dnahlm evaluate           --config recipes/llama_lora/9_evaluate.yaml
