"""The rows of the tasks beside this file and what is right; the harness calls both."""

from dnahlm.evaluation.lm_eval_rows import load, process_results

__all__ = ["load", "process_results"]
