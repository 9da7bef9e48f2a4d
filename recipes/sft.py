"""Fine-tune a checkpoint on instructions, then calibrate its answers on the validation rows.

python recipes/sft.py --config recipes/tiny/6_sft.yaml
accelerate launch --config_file recipes/accelerate/cpu.yaml recipes/sft.py --config recipes/tiny/6_sft.yaml
"""

import sys

from dnahlm.config import parse
from dnahlm.io import clear_errors


def main() -> None:
    """Read the recipe and the overrides, then run the stage."""
    with clear_errors():
        from dnahlm.evaluation.dev_score import dev_mcc
        from dnahlm.inference.calibrate_checkpoint import calibrate
        from dnahlm.inference.decision import write_decisions
        from dnahlm.model.adapters import AdapterArguments
        from dnahlm.training.sft import SftArguments, SftDataArguments, run

        data, adapter, args = parse((SftDataArguments, AdapterArguments, SftArguments), sys.argv[1:], "recipes/sft.py")
        run(
            data,
            adapter,
            args,
            finish=lambda folder: calibrate(folder, data.instructions) | write_decisions(folder),
            score=dev_mcc,
        )


if __name__ == "__main__":
    main()
