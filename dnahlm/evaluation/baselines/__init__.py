"""What cheap methods reach on the very same rows: a model that does not beat them has learned nothing new."""
