"""Answers from a trained checkpoint: label probabilities, free text, files in and files out."""
