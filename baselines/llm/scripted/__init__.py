"""A protocol test: a server that speaks as an endpoint does and answers from a script. No model is in it."""
