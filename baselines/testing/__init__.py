"""What the suite asks of an algorithm, as one call for authors of algorithms: `check_algorithm`."""

from baselines.testing.check import check_algorithm

__all__ = ["check_algorithm"]
