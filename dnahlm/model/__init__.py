"""Models: made from a config, fitted to a new vocabulary, adapted with LoRA."""
