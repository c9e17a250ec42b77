"""An endpoint without a model, for tests of the protocol; its numbers mean nothing."""
