"""`dnahlm tokenizer report`: tokenizers side by side. It stands among the tasks because it renders their prompts."""
