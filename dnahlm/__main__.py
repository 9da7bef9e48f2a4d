"""`python -m dnahlm` is `dnahlm`."""

from dnahlm.cli import main

main()
