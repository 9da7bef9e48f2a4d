"""The rows of the tasks beside this file; the harness calls `load`."""

from dnahlm.evaluation.lm_eval_rows import load

__all__ = ["load"]
