"""Neighbour graphs: boolean (n, n), symmetric, False on the diagonal."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    import networkx as nx


def fully_connected(n: int, batch: int, device: torch.device | str = "cpu") -> Tensor:
    """Everyone is everyone's neighbour, bool (B, n, n)."""
    return _others(n, torch.device(device)).expand(batch, n, n)


@functools.cache
def _others(n: int, device: torch.device) -> Tensor:
    return ~torch.eye(n, dtype=torch.bool, device=device)


def to_networkx(agents: Sequence[str], adjacency: NDArray[np.bool_]) -> nx.Graph:
    """The graph over agent names, for people and for networkx's algorithms."""
    # Here, for it is slow to import and few ask for graphs.
    import networkx as nx

    graph = nx.from_numpy_array(np.asarray(adjacency, dtype=bool))
    return nx.relabel_nodes(graph, dict(enumerate(agents)))
