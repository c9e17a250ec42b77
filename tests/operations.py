"""How many operations of tensors a program starts, which is what short operations cost on any device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

# Those that only make a tensor without writing to it, or that give a tensor as it is.
FREE = {"empty", "empty_like", "empty_strided", "new_empty", "_unsafe_view", "detach", "alias", "lift_fresh"}


class Operations(TorchDispatchMode):
    """Counts operations while it is entered: all but views of tensors and allocations.

    Attributes:
        started: how often each operation has been started, by name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.started: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        if not func.is_view and name not in FREE:
            self.started[name] += 1
        return func(*args, **kwargs or {})
