"""One byte-level BPE for DNA and English: train it, load it, measure it."""
