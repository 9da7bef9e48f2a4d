#!/bin/sh
# The whole route on a simulated organism, stage by stage: what `dnahlm quickstart` chains. Run from the folder that holds recipes/.
set -eu
dnahlm simulate           --config recipes/tiny/0_simulate.yaml
dnahlm corpus build       --config recipes/tiny/1_corpus.yaml
dnahlm tokenizer train    --config recipes/tiny/2_tokenizer.yaml
dnahlm corpus pack        --config recipes/tiny/3_pack.yaml
python recipes/pretrain.py --config recipes/tiny/4_pretrain.yaml
dnahlm instructions build --config recipes/tiny/5_instructions.yaml
python recipes/sft.py     --config recipes/tiny/6_sft.yaml
dnahlm evaluate           --config recipes/tiny/7_evaluate.yaml
