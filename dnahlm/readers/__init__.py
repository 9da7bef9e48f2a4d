"""Files in, records out, streaming: sequences, tables, text and the corpus itself; every error names file and line."""
