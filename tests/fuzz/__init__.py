"""Malformed inputs of every kind, made by seeded random changes: each must end in one typed error.

`python -m fuzz` (`make fuzz`) tries many, `test_fuzz.py` a few; both name every case, so that it can be made
again.
"""
