"""A protocol test: an endpoint on this machine that answers from a script. No model is in it."""
