"""A simulated organism in real file formats: the data that needs no download."""
