"""Environments of engines in worker processes."""

import lazy_loader

# Names are loaded when they are used, as `__init__.pyi` says: native games need no processes.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
