"""Tasks: what is asked of the model, how a question is rendered, and how labelled tables become instructions."""
