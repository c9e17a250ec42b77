"""What the suite does on an accelerator, stage by stage; see `python -m benchmarks.gpu --help`."""
