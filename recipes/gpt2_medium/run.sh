#!/bin/sh
# After stages 1, 2, 3 and 5 of recipes/gpt2_small, whose corpus, tokenizer and instructions serve all sizes of GPT-2; on 8 GPUs.
set -eu
accelerate launch --config_file recipes/accelerate/zero2.yaml recipes/pretrain.py --config recipes/gpt2_medium/4_pretrain.yaml
accelerate launch --config_file recipes/accelerate/zero2.yaml recipes/sft.py --config recipes/gpt2_medium/6_sft.yaml
dnahlm evaluate           --config recipes/gpt2_medium/7_evaluate.yaml
