"""Which rows give others away (exact, reverse complement, contained, near), and splits that keep such rows together."""
