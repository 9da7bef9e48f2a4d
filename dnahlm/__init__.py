"""Instruction-tuned language models over mixed DNA and English."""

__version__ = "0.1.0"
