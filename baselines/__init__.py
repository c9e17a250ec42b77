"""Baseline learners for games with sequential decisions inside a timestep."""

import lazy_loader

# Names are loaded when they are used, as `__init__.pyi` says: commands that need none of them start at once.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
