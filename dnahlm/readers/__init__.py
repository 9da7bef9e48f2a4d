"""Files in, records out, streaming: sequences, labelled rows, text, the corpus itself; errors name file and line."""
