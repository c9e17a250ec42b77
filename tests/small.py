"""Small configurations of every algorithm, for tests of what all algorithms must do."""

from __future__ import annotations

from typing import Any

import baselines

SIZES: dict[str, dict[str, Any]] = {
    "steer": {"embedding_dim": 16},
    "step": {"condition_dim": 8, "hidden_size": 8},
    "mat": {"embedding_dim": 16},
    "mappo": {"hidden_size": 16},
    "happo": {"hidden_size": 16},
    "ippo": {"hidden_size": 16},
}

assert SIZES.keys() == set(baselines.list_algorithms()), "every algorithm needs small sizes for the tests"
