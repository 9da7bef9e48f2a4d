"""The pretraining corpus: build it of FASTA and text, pack it into blocks of tokens."""
