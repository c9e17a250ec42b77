"""Functions of tensors that an accelerator runs as one: recorded once per shape, then replayed.

A step of a game or of a learner starts hundreds of small operations, each of which takes an accelerator less
time than starting it takes Python. A CUDA graph starts all of them at once.

What is recorded must compute from its arguments alone and never ask what is in a tensor: whatever else it
reads stays for ever as it was when it was recorded.
"""

from __future__ import annotations

import gc
import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

Function = Callable[[list[Tensor]], list[Tensor]]
Recorder = Callable[[Function, list[Tensor]], tuple[list[Tensor], Callable[[], None]]]
"""Runs a function of tensors and gives its results, and what computes them anew, in place, in place of it."""

SWITCH = "STMG_CAPTURE"
"""The environment variable that turns recording off: 0."""

WARMUPS = 2
"""Runs before recording, in which libraries take the memory that they keep."""


def record_cuda_graph(function: Function, read: list[Tensor]) -> tuple[list[Tensor], Callable[[], None]]:
    """A CUDA graph of the operations that a function starts.

    Raises:
        RuntimeError: if it waits for the device.
    """
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(WARMUPS):
            function(read)
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    # A graph that is collected as garbage meanwhile would break off the recording.
    gc.collect()
    collects = gc.isenabled()
    gc.disable()
    try:
        with torch.cuda.graph(graph):
            written = function(read)
    finally:
        if collects:
            gc.enable()
    return written, graph.replay


_recording = ContextVar("recording", default=False)
"""Whether something is being recorded, of which what it calls is a part."""

RECORDERS: dict[str, Recorder] = {"cuda": record_cuda_graph}
"""How functions are recorded, by the type of the device; on others they are called."""


def recorder(device: torch.device) -> Recorder | None:
    """How functions are recorded on a device, unless nothing is to be."""
    return None if os.environ.get(SWITCH) == "0" else RECORDERS.get(device.type)


def may_ask(device: torch.device) -> bool:
    """Whether a program may ask what is in tensors, to save work: elsewhere it would wait for the device."""
    return device.type == "cpu" and recorder(device) is None


class Captured:
    """A function of nested tuples, lists and dicts of tensors, recorded for every shape that it meets.

    Where nothing is recorded, the function is called. So it is if it cannot be recorded, after a warning.

    Args:
        function: what to compute. It gets each float as a tensor without axes where it is recorded. What else
            there is in its arguments must be hashable, and is recorded anew for every value.
        device: where.
        resident: named tensors that are always read where they are, and so need no copies; they are its first
            argument.
        keeps_results: whether results stay as they are in the next call; without, they need no copies.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        device: torch.device | str,
        resident: dict[str, Tensor] | None = None,
        keeps_results: bool = True,
    ) -> None:
        self.function = function
        self.resident = () if resident is None else (resident,)
        self.device = torch.device(device)
        self.keeps_results = keeps_results
        self._recordings: dict[Hashable, Recording | None] = {}

    @property
    def records(self) -> bool:
        """Whether calls are recorded."""
        return recorder(self.device) is not None

    def __call__(self, *arguments: Any) -> Any:
        record = recorder(self.device)
        if record is None or _recording.get():
            return self.function(*self.resident, *arguments)
        leaves, structure = pytree.tree_flatten(arguments)
        key = (structure, *map(_kind, leaves))
        if key not in self._recordings:
            self._recordings[key] = self._recorded(record, leaves, structure)
        recording = self._recordings[key]
        if recording is None:
            return self.function(*self.resident, *arguments)
        return recording(leaves, self.keeps_results)

    def _recorded(self, record: Recorder, leaves: list[Any], structure: pytree.TreeSpec) -> Recording | None:
        try:
            return Recording(record, self.function, self.resident, leaves, structure, self.device)
        except RuntimeError as error:
            name = getattr(self.function, "__qualname__", repr(self.function))
            warnings.warn(
                f"{name} is started operation by operation, because it could not be recorded "
                f"({str(error).splitlines()[0]}); {SWITCH}=0 records nothing",
                stacklevel=3,
            )
            return None


class Recording:
    """A function recorded for arguments of one kind.

    Args:
        record: how.
        function: what to compute.
        resident: its first arguments, which are read where they are.
        leaves: of the others, of which tensors and floats may have other values in later calls.
        structure: of the others.
        device: where.
    """

    def __init__(
        self,
        record: Recorder,
        function: Callable[..., Any],
        resident: tuple[dict[str, Tensor], ...],
        leaves: Sequence[Any],
        structure: pytree.TreeSpec,
        device: torch.device,
    ) -> None:
        given = [leaf for leaf in leaves if isinstance(leaf, Tensor | float)]
        self._read = [
            torch.empty(x.shape, dtype=x.dtype, device=x.device)
            if isinstance(x, Tensor)
            else torch.empty((), device=device)
            for x in given
        ]
        self._reads = _by_dtype(given)
        self._tell(leaves)
        structures: list[pytree.TreeSpec] = []

        def run(read: list[Tensor]) -> list[Tensor]:
            slots = iter(read)
            first = [{name: next(slots) for name in table} for table in resident]
            own = [next(slots) if isinstance(leaf, Tensor | float) else leaf for leaf in leaves]
            results, structure_of_results = pytree.tree_flatten(
                function(*first, *pytree.tree_unflatten(own, structure))
            )
            structures.append(structure_of_results)
            # What is spread over its memory could not be copied together with others.
            return [x.detach().contiguous() for x in results]

        everything = [x for table in resident for x in table.values()] + self._read
        outer = _recording.set(True)
        try:
            self._written, self._replay = record(run, everything)
        finally:
            _recording.reset(outer)
        self._writes = _by_dtype(self._written)
        self._structure = structures[-1]

    def __call__(self, leaves: Sequence[Any], keeps_results: bool) -> Any:
        """The results for arguments with these leaves."""
        self._tell(leaves)
        self._replay()
        results = self._written
        if keeps_results:
            results = [torch.empty_like(x) for x in self._written]
            _copy(self._writes, results, self._written)
        return pytree.tree_unflatten(results, self._structure)

    def _tell(self, leaves: Sequence[Any]) -> None:
        """Write arguments to where they are read."""
        given = [leaf for leaf in leaves if isinstance(leaf, Tensor | float)]
        for slot, value in zip(self._read, given, strict=True):
            if isinstance(value, float):
                slot.fill_(value)
        _copy(self._reads, self._read, given)


Record = TypeVar("Record")


def nested(record: type[Record]) -> type[Record]:
    """Have a dataclass count as a dict of its fields where functions are recorded."""

    def build(values: Iterable[Any], names: Any) -> Record:
        return record(**dict(zip(names, values, strict=True)))

    pytree.register_pytree_node(
        record, lambda one: (list(vars(one).values()), tuple(vars(one))), build, serialized_type_name=None
    )
    return record


def _kind(leaf: Any) -> Hashable:
    """What of an argument a recording is made for."""
    if isinstance(leaf, Tensor):
        return leaf.shape, leaf.dtype
    return float if isinstance(leaf, float) else leaf


def _by_dtype(values: Sequence[Any]) -> list[list[int]]:
    """Places of the tensors that can be copied together."""
    groups: defaultdict[torch.dtype, list[int]] = defaultdict(list)
    for place, x in enumerate(values):
        if isinstance(x, Tensor):
            groups[x.dtype].append(place)
    return list(groups.values())


def _copy(groups: Sequence[Sequence[int]], into: Sequence[Tensor], source: Sequence[Any]) -> None:
    with torch.no_grad():
        for places in groups:
            torch._foreach_copy_([into[place] for place in places], [source[place] for place in places])
