"""Pretrain on packed blocks.

python recipes/pretrain.py --config recipes/tiny/4_pretrain.yaml
accelerate launch --config_file recipes/accelerate/cpu.yaml recipes/pretrain.py --config recipes/tiny/4_pretrain.yaml
"""

import sys

from dnahlm.config import parse
from dnahlm.io import clear_errors


def main() -> None:
    """Read the recipe and the overrides, then run the stage."""
    with clear_errors():
        from dnahlm.model.adapters import AdapterArguments
        from dnahlm.model.create import ModelArguments
        from dnahlm.training.pretrain import PretrainArguments, PretrainDataArguments, run

        stages = (PretrainDataArguments, ModelArguments, PretrainArguments, AdapterArguments)
        run(*parse(stages, sys.argv[1:], "recipes/pretrain.py"))


if __name__ == "__main__":
    main()
