"""Builders of the two pair tasks: are two DNA sequences related, and does a DNA window code for a protein segment."""
