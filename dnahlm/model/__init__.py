"""Models: create, load, fit to a vocabulary, adapt.

Whoever opens a model imports this first, so what its libraries say at every start, and no user can act on, ends here.
"""

import logging
import os

import torch

if not torch.accelerator.is_available():
    os.environ.setdefault("DS_ACCELERATOR", "cpu")  # else DeepSpeed warns that it found no GPU


def _is_news(record: logging.LogRecord) -> bool:
    """False for the advice to install a GPU kernel where there is no GPU."""
    return torch.accelerator.is_available() or "falling back to its reference" not in record.getMessage()


logging.getLogger("transformers.integrations.hub_kernels").addFilter(_is_news)
