"""Evaluation: greedy play, results files, statistics and reports."""
