"""Two evaluations on the same rows, tested in pairs: `dnahlm report compare`."""
