"""One tokenizer for DNA and English: train it, load it, measure it."""
