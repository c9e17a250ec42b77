"""What a reply says: the JSON in it, a plan, a verdict. Nothing that a model writes is ever evaluated."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from baselines.llm.stage import Stage

LONGEST_REASON = 200
"""Letters of an actor's reason that are passed on."""
DEEPEST = 100
"""Brackets within brackets that are read."""


@dataclass(frozen=True)
class Found:
    """An object in a reply.

    Attributes:
        value: the object; of keys that stand twice the last.
        twice: keys that stand twice.
    """

    value: dict[str, Any]
    twice: tuple[str, ...]


def find_objects(text: str) -> list[Found]:
    """The outermost JSON objects of a text, whatever stands around them; never one inside another."""
    found, at = [], 0
    while (at := text.find("{", at)) >= 0:
        twice: list[str] = []

        def unique(pairs: list[tuple[str, Any]], twice: list[str] = twice) -> dict[str, Any]:
            counts = Counter(key for key, _ in pairs)
            twice.extend(key for key, count in counts.items() if count > 1)
            return dict(pairs)

        decoder = json.JSONDecoder(object_pairs_hook=unique)
        try:
            if _depth(text, at) > DEEPEST:
                raise ValueError
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = _closing(text, at)
        else:
            found.append(Found(_encodable(value), tuple(twice)))
        at = end
    return found


def _encodable(value: dict[str, Any]) -> dict[str, Any]:
    """An object without halves of surrogate pairs, which could be neither sent back nor written to a file."""
    text = json.dumps(value, ensure_ascii=False)
    encodable: dict[str, Any] = json.loads(text.encode(errors="replace"))
    return encodable


def _closing(text: str, start: int) -> int:
    """Behind the bracket that closes the one at `start`; the end if none does, for the rest is nested."""
    depth, at = 0, start
    while at < len(text):
        if text[at] == '"':
            # Brackets between quotes open and close nothing.
            at = _end_of_words(text, at)
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
        if depth == 0:
            return at
    return len(text)


def _end_of_words(text: str, quote: int) -> int:
    """Behind the quotation mark that ends what begins at `quote`; the end of the text if none does."""
    found = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL).match(text, quote)
    return found.end() if found else len(text)


def _depth(text: str, start: int) -> int:
    """How deep the brackets go that open at `start`; deeper than DEEPEST is not looked."""
    depth = deepest = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(text[at], 0)
        deepest = max(deepest, depth)
        if depth <= 0 or deepest > DEEPEST:
            break
    return deepest


def plain(name: object) -> str:
    """A name as it is compared: without spaces, quotes and capitals."""
    return re.sub(r"[\s\"'`]", "", str(name)).lower()


@dataclass(frozen=True)
class Reading:
    """A plan as it was read.

    Attributes:
        actions: of each agent, (n,); None where the plan says nothing that counts.
        problems: what is wrong with it, in sentences; empty if it can be played.
        faults: how often each kind of problem occurs.
    """

    actions: tuple[int | None, ...]
    problems: tuple[str, ...] = ()
    faults: Mapping[str, int] = field(default_factory=dict)


class Problems:
    """Problems of a plan by kind."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.faults: Counter[str] = Counter()

    def add(self, fault: str, sentence: str) -> None:
        """One more."""
        self.faults[fault] += 1
        self.sentences.append(sentence)


def read_plan(text: str, stage: Stage) -> Reading:
    """The plan in a reply: for each agent one of its legal actions by name.

    Of several objects the last one without problems counts, else the last one. An agent that is not named
    stays where the game has such an action.
    """
    return _last(text, stage, stage.undecided, range(stage.n))


def read_turn(text: str, stage: Stage, agent: int, decided: Sequence[int | None]) -> Reading:
    """One agent's decision in a reply; what it says of others does not count.

    Args:
        text: the reply.
        stage: the game as it stands.
        agent: whose turn it is.
        decided: what has been decided, (n,), None where it has not.
    """
    return _last(text, stage, decided, [agent])


def read_parts(text: str, stage: Stage, names: Sequence[str]) -> list[Reading]:
    """Several plans in one reply, each under its name."""
    for found in reversed(find_objects(text)):
        if all(isinstance(found.value.get(name), dict) for name in names):
            parts = [Found(found.value[name], found.twice) for name in names]
            return [_plan(part, stage, stage.undecided, range(stage.n)) for part in parts]
    return [read_plan("", stage) for _ in names]


def _last(text: str, stage: Stage, decided: Sequence[int | None], told: Sequence[int]) -> Reading:
    """The last reading without problems, or the last one; an empty object counts where there is no other."""
    objects = find_objects(text)
    objects = [found for found in objects if found.value] or objects
    readings = [_plan(found, stage, decided, told) for found in objects]
    if not readings:
        sentence = 'The reply holds no JSON object {"agent": "action", ...}.'
        return Reading(tuple(decided), (sentence,), {"no_object": 1})
    return next((reading for reading in reversed(readings) if not reading.problems), readings[-1])


def _plan(found: Found, stage: Stage, decided: Sequence[int | None], told: Sequence[int]) -> Reading:
    """What an object says of those who are told, put into what has been decided."""
    agents = {plain(name): agent for agent, name in enumerate(stage.text.agents)}
    everybody = len(told) == stage.n
    actions = list(decided)
    problems = Problems()
    twice = {plain(name): name for name in found.twice}
    # The same name in two spellings is the same name.
    spellings = Counter(map(plain, found.value))
    twice |= {plain(name): name for name in found.value if spellings[plain(name)] > 1}
    for name in twice.values():
        problems.add("duplicate_key", f"{name:.60} is named twice.")
    for name, value in found.value.items():
        agent = agents.get(plain(name))
        if agent not in told or agent is None:
            if everybody:
                problems.add("unknown_agent", f"There is no {name:.60}.")
            continue
        action = _action(value, stage, agent)
        if action is None or action not in stage.legal[agent]:
            kind = "unknown_action" if action is None else "illegal_action"
            can = ", ".join(stage.names(agent)) or "nothing"
            said = json.dumps(value, ensure_ascii=False)
            problems.add(kind, f"{stage.text.agents[agent]} cannot do {said:.80}; it can do: {can}.")
            continue
        actions[agent] = action
    for agent in told:
        if actions[agent] is None:
            problems.add("missing_agent", f"The reply says nothing of {stage.text.agents[agent]}.")
    for complaint in stage.complaints(actions):
        problems.add("conflict", complaint.reason)
    return Reading(tuple(actions), tuple(problems.sentences), dict(problems.faults))


def _action(value: object, stage: Stage, agent: int) -> int | None:
    """The legal action that is meant, else any action of this name, else None."""
    if value is None:
        return stage.text.idle
    names = [plain(name) for name in stage.text.actions(agent)]
    meant = [action for action, name in enumerate(names) if name == plain(value)]
    return next((action for action in meant if action in stage.legal[agent]), next(iter(meant), None))


@dataclass(frozen=True)
class Verdict:
    """What an agent says of its part.

    Attributes:
        agrees: whether it does.
        action: what it would rather do, or None.
        reason: why, shortened.
    """

    agrees: bool
    action: int | None = None
    reason: str = ""


def read_verdict(text: str, stage: Stage, agent: int) -> Verdict | None:
    """An agent's verdict, or None if the reply is none; agreement may come in any spelling."""
    objects = find_objects(text)
    for found in reversed(objects):
        keys = {plain(key): value for key, value in found.value.items()}
        agrees = _agreement(keys.get("agree"))
        if agrees is not None and "agree" not in map(plain, found.twice):
            action = None if keys.get("action") is None else _action(keys["action"], stage, agent)
            action = action if action in stage.legal[agent] else None
            return Verdict(agrees, action, " ".join(str(keys.get("reason", "")).split())[:LONGEST_REASON])
    # The key of an object that says nothing clear is no agreement.
    agrees = None if objects else _agreement(text)
    return (
        None
        if agrees is None
        else Verdict(agrees, None, "" if agrees else " ".join(text.split())[:LONGEST_REASON])
    )


AGREES = re.compile(r"\b(agree[ds]?|yes|true|ok|okay)\b")
REFUSES = re.compile(r"\b(disagree[ds]?|objects?|not|no|never|false|cannot)\b|n't\b")


def _agreement(value: object) -> bool | None:
    """What a word or the beginning of a sentence says, None if neither yes nor no."""
    if isinstance(value, bool) or not isinstance(value, str):
        return value if isinstance(value, bool) else None
    said = value.lower()[:LONGEST_REASON].replace("no objection", "agree")
    if REFUSES.search(said):
        return False
    return True if AGREES.search(said) else None
