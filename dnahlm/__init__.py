"""Instruction-tuned language models over mixed DNA and English."""

import os

__version__ = "0.1.0"

# What is trained where is the user's own business; trl reports it otherwise. Set to 0 to send it.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
