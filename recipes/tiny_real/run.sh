#!/bin/sh
# The whole route on real data in the folder $1, stage by stage: what `dnahlm quickstart --data FOLDER` chains.
set -eu
dnahlm corpus build       --config recipes/tiny_real/1_corpus.yaml --data_root "$1"
dnahlm tokenizer train    --config recipes/tiny_real/2_tokenizer.yaml
dnahlm corpus pack        --config recipes/tiny_real/3_pack.yaml
python recipes/pretrain.py --config recipes/tiny_real/4_pretrain.yaml
dnahlm instructions build --config recipes/tiny_real/5_instructions.yaml --data_root "$1"
python recipes/sft.py     --config recipes/tiny_real/6_sft.yaml
dnahlm evaluate           --config recipes/tiny_real/7_evaluate.yaml
