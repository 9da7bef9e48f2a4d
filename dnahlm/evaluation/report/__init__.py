"""A finished evaluation as a table on the terminal, report.md and report.html."""
