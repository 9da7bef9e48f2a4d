"""Training stages: pretraining on packed blocks, supervised fine-tuning on instructions."""
