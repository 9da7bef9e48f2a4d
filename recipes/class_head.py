"""Train a classification head for one task on a checkpoint, to compare with the one instructed model.

python recipes/class_head.py --config recipes/small_cpu/9_head.yaml --task core_promoter
"""

import sys

from dnahlm.config import parse
from dnahlm.io import clear_errors


def main() -> None:
    """Read the recipe and the overrides, then run the stage."""
    with clear_errors():
        from dnahlm.training.class_head import HeadArguments, HeadDataArguments, run

        run(*parse((HeadDataArguments, HeadArguments), sys.argv[1:], "recipes/class_head.py"))


if __name__ == "__main__":
    main()
