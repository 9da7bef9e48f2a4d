"""What a tokenizer of any kind does to DNA, English and odd letters: pure measures, each with its n."""
