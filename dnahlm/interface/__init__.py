"""Where people meet the model: the terminal chat and the quickstart."""
