"""From a tuned checkpoint and a suite of tasks to predictions, figures and a report beside plain baselines."""
