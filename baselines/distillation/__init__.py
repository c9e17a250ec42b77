"""Distillation of a joint policy into agents that decide on their own observations alone."""
