"""Values that are no argument of anything, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

LOOP: list[Any] = []
LOOP.append(LOOP)

DEEP: list[Any] = []
for _ in range(3000):
    DEEP = [DEEP]

VALUES: dict[str, Any] = {
    "None": None,
    "True": True,
    "a negative number": -1,
    "a fraction": 2.5,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "a number of 31 digits": 10**30,
    "a complex number": 1 + 2j,
    "a word": "nonsense",
    "no text": "",
    "half a surrogate pair": "\ud800",
    "bytes": b"x",
    "an empty list": [],
    "a list of None": [None, None],
    "a list of lists": [[1], [2, 3]],
    "a list in itself": LOOP,
    "3000 lists in each other": DEEP,
    "a dict of a list": {"a": []},
    "a set": {1, 2},
    "an object": object(),
    "a type": int,
    "a function": len,
    "a generator": (x for x in ()),
    "a table": np.arange(4).reshape(2, 2),
    "a masked array": np.ma.masked_array([1.0, 2.0], mask=[True, False]),
    "an array of text": np.array(["a", "b"]),
    "an array of objects": np.array([None, {}], dtype=object),
    "a complex array": np.ones((2, 2, 2), complex),
    "a date": np.datetime64("2020-01-01"),
    "a tensor": torch.tensor([1.5, float("nan")]),
    "a meta tensor": torch.empty(2, device="meta"),
    "a path": Path("nowhere"),
}
