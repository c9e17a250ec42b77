"""One-shot games given by a payoff tensor of shape (n, A1, ..., An).

The Stackelberg equilibrium follows protocol section "Stackelberg equilibrium" (von Stackelberg
1934 generalised to n levels as in the STEER paper, equations 4 and 5): backward induction over the
priority order. Payoffs count as equal as `equality` says.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stmg_envs.arguments import shown
from stmg_envs.equilibria.equality import largest, payoff_scale
from stmg_envs.errors import InvalidArgumentError, InvalidPriorityError

Payoffs = NDArray[np.float64]
JointAction = tuple[int, ...]


@dataclass(frozen=True)
class Tie:
    """An agent on the equilibrium path to whom several actions were worth the same.

    Attributes:
        agent: index of the indifferent agent.
        leader_actions: actions of its superiors in order of rank.
        actions: its best actions, the chosen one first.
    """

    agent: int
    leader_actions: JointAction
    actions: JointAction


@dataclass(frozen=True)
class Stackelberg:
    """A Stackelberg equilibrium.

    Attributes:
        actions: joint action in agent order.
        payoffs: payoff of each agent at that joint action, float64 (n,).
        ties: the ties met on the equilibrium path, in order of rank; empty if the equilibrium is
            strict there.
        replies: for every rank the optimal action after every prefix of superiors' actions, an
            int array of shape (A of rank 0, ..., A of rank r - 1).
    """

    actions: JointAction
    payoffs: NDArray[np.float64]
    ties: tuple[Tie, ...]
    replies: tuple[NDArray[np.intp], ...]


def check_payoffs(payoffs: ArrayLike) -> Payoffs:
    """Validate a payoff tensor and return it as float64.

    Raises:
        InvalidArgumentError: if it is not a finite numeric array of shape (n, A1, ..., An).
    """
    expected = "expected finite numbers of shape (n, A1, ..., An), one axis per agent"
    try:
        given: NDArray[Any] = np.ma.asanyarray(payoffs)
        if np.iscomplexobj(given) or np.ma.is_masked(given):
            raise TypeError("complex or masked")
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"payoffs are not an array of numbers ({error}); {expected}") from None
    if array.ndim < 2 or array.shape[0] != array.ndim - 1 or 0 in array.shape:
        raise InvalidArgumentError(f"payoffs have shape {array.shape}; {expected}")
    if not np.isfinite(array).all():
        raise InvalidArgumentError(f"payoffs contain {array[~np.isfinite(array)][0]}; {expected}")
    return array


def check_order(n: int, priority: Sequence[int] | None) -> tuple[int, ...]:
    """Validate a priority of agent indices, leader first; None is the identity.

    Raises:
        InvalidPriorityError: if it is no permutation of 0, ..., n - 1.
    """
    if priority is None:
        return tuple(range(n))
    try:
        order = tuple(operator.index(agent) for agent in priority)
    except TypeError:
        order = ()
    if sorted(order) != list(range(n)):
        raise InvalidPriorityError(
            f"priority={shown(priority)} is not a permutation of the agents; expected the indices "
            f"0..{n - 1}, leader first, for instance {tuple(reversed(range(n)))}"
        )
    return order


def stackelberg(
    payoffs: ArrayLike, priority: Sequence[int] | None = None, scale: ArrayLike | None = None
) -> Stackelberg:
    """The optimistic (strong) Stackelberg equilibrium by backward induction.

    The agent of the last rank answers every prefix of superiors' actions best; each agent above
    maximises its own payoff given the optimal replies below. An indifferent agent does what is
    best for its superiors, compared lexicographically from the first rank down; what is then still
    equal for all of them goes to the lowest action index.

    Args:
        payoffs: array (n, A1, ..., An).
        priority: agent indices, leader first; identity by default.
        scale: what payoffs are compared on, one number per agent; by default its largest absolute payoff.

    Raises:
        InvalidArgumentError: for malformed payoffs.
        InvalidPriorityError: if the priority is no permutation of the agents.
    """
    array = check_payoffs(payoffs)
    n = array.shape[0]
    order = check_order(n, priority)
    # Axes and agents in order of rank: values[r] is the payoff of the agent of rank r.
    scales = _scales(array, scale)[list(order)]
    values = np.transpose(array, (0, *(agent + 1 for agent in order)))[list(order)]
    replies: list[NDArray[np.intp]] = []
    bests: list[NDArray[np.bool_]] = []
    for rank in reversed(range(n)):
        best = largest(values[rank], scales[rank], axis=-1)
        bests.append(best)
        chosen = best
        for superior in range(rank):
            worth = np.where(chosen, values[superior], -np.inf)
            chosen = largest(worth, scales[superior], axis=-1)
        reply = chosen.argmax(axis=-1)
        replies.append(reply)
        values = np.take_along_axis(values, reply[None, ..., None], axis=-1)[..., 0]
    replies.reverse()
    bests.reverse()

    prefix: JointAction = ()
    ties = []
    for rank in range(n):
        action = int(replies[rank][prefix])
        equal = [int(other) for other in np.flatnonzero(bests[rank][prefix]) if other != action]
        if equal:
            ties.append(Tie(order[rank], prefix, (action, *equal)))
        prefix = (*prefix, action)
    actions = tuple(prefix[order.index(agent)] for agent in range(n))
    everyone: tuple[Any, ...] = (slice(None), *actions)
    return Stackelberg(actions, array[everyone], tuple(ties), tuple(replies))


def pure_nash(payoffs: ArrayLike, scale: ArrayLike | None = None) -> list[JointAction]:
    """All Nash equilibria in pure strategies, as joint actions in lexicographic order.

    Args:
        payoffs: array (n, A1, ..., An).
        scale: what payoffs are compared on, one number per agent; by default its largest absolute payoff.

    Raises:
        InvalidArgumentError: for malformed payoffs.
    """
    array = check_payoffs(payoffs)
    stable = np.ones(array.shape[1:], dtype=bool)
    for agent, (own, size) in enumerate(zip(array, _scales(array, scale), strict=True)):
        stable &= largest(own, size, axis=agent)
    return [tuple(map(int, joint)) for joint in np.argwhere(stable)]


def global_optima(payoffs: ArrayLike, scale: ArrayLike | None = None) -> list[JointAction]:
    """All joint actions with the largest sum of payoffs, in lexicographic order.

    Args:
        payoffs: array (n, A1, ..., An).
        scale: what payoffs are compared on, one number per agent; by default its largest absolute payoff.

    Raises:
        InvalidArgumentError: for malformed payoffs.
    """
    array = check_payoffs(payoffs)
    optimal = largest(array.sum(axis=0), _scales(array, scale).sum())
    return [tuple(map(int, joint)) for joint in np.argwhere(optimal)]


def _scales(payoffs: Payoffs, scale: ArrayLike | None) -> NDArray[np.float64]:
    """The scale of each agent, (n,)."""
    if scale is None:
        return payoff_scale(payoffs)
    return np.broadcast_to(np.asarray(scale, dtype=np.float64), payoffs.shape[:1])
