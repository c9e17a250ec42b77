"""What replies say, however they are wrapped."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.llm.answers import Verdict, find_objects, read_parts, read_plan, read_turn, read_verdict
from baselines.llm.stage import Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A grid with one row of two squares, and boxes in both of them."""
    stage = Stage("stmg/GridTransport-v0", {"rows": 1, "columns": 2})
    stage.reset(seed=1)
    yield stage
    stage.close()


def move(stage: Stage, agent: int) -> tuple[str, int]:
    """A move that an agent can make, by name and by number."""
    action = stage.legal[agent][-1]
    return stage.text.actions(agent)[action], action


@pytest.mark.parametrize(
    "wrapping",
    [
        "{}",
        "```json\n{}\n```",
        "Let me think. {{not json}} Here it is: {} Done.",
        '{{"Agent[0, 0]": 3}} or {}',
        "{} That leaves nothing: {{}}.",
        'First {{"a": "}}", broken, "b": {{"Agent[0, 0]": "stay"}}}} but then {}',
    ],
)
def test_plans_are_found_in_whatever_is_around_them(stage: Stage, wrapping: str) -> None:
    name, action = move(stage, 0)
    reading = read_plan(wrapping.format(json.dumps({"Agent[0, 0]": name})), stage)
    assert reading.actions == (action, 0) and not reading.problems


def test_names_are_taken_in_any_spelling(stage: Stage) -> None:
    name, action = move(stage, 1)
    reading = read_plan(json.dumps({"agent[0,1]": name.upper().replace(" ", "")}), stage)
    assert reading.actions == (0, action)


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("I agree with everybody.", "no_object"),
        ('{"Agent[0, 0]": "mo', "no_object"),
        ('{"plan": {"Agent[0, 0]": "stay"}}', "unknown_agent"),
        ('{"Agent[7, 0]": "stay"}', "unknown_agent"),
        ('{"Agent[0, 0]": "move(box_black, square[0, 1])"}', "unknown_action"),
        ('{"Agent[0, 0]": ["stay"]}', "unknown_action"),
        ('{"Agent[0, 0]": "stay", "Agent[0, 0]": "stay"}', "duplicate_key"),
        ('{"Agent[0, 0]": "stay", "agent[0,0]": "stay"}', "duplicate_key"),
        ('{"Agent[0, 0]": "move(box_purple, target_purple)"}', "illegal_action"),
    ],
)
def test_what_is_wrong_is_named_once(stage: Stage, reply: str, fault: str) -> None:
    stage.env.episodes.state["targets"][:] = 0  # type: ignore[attr-defined]
    stage._look(stage.env.episodes.observe())  # type: ignore[attr-defined]
    reading = read_plan(reply, stage)
    assert dict(reading.faults) == {fault: 1} and len(reading.problems) == 1


def test_nothing_is_taken_from_inside_another_object(stage: Stage) -> None:
    name, _ = move(stage, 0)
    for text in (json.dumps({"a": {"Agent[0, 0]": name}}), f'{{"a": {json.dumps({"Agent[0, 0]": name})}'):
        assert read_plan(text, stage).problems


def test_two_plans_in_one_reply(stage: Stage) -> None:
    name, action = move(stage, 0)
    reply = json.dumps({"explorer": {"Agent[0, 0]": name}, "exploiter": {}})
    far, near = read_parts(reply, stage, ("explorer", "exploiter"))
    assert (far.actions, near.actions) == ((action, 0), (0, 0))
    assert [part.faults for part in read_parts("no", stage, ("explorer", "exploiter"))] == [
        {"no_object": 1}
    ] * 2


def test_in_a_turn_only_ones_own_action_counts(stage: Stage) -> None:
    name, action = move(stage, 1)
    reading = read_turn(json.dumps({"Agent[0, 0]": "nonsense", "Agent[0, 1]": name}), stage, 1, [None, None])
    assert reading.actions == (None, action) and not reading.problems
    assert read_turn("{}", stage, 1, [None, None]).faults == {"missing_agent": 1}


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ('{"agree": true, "action": null, "reason": "fine"}', Verdict(True, None, "fine")),
        ('{"Agree": "YES!"}', Verdict(True)),
        ("I Agree.", Verdict(True)),
        ("No objection.", Verdict(True)),
        ('{"agree": false, "action": "stay", "reason": "a  b"}', Verdict(False, 0, "a b")),
        ('{"agree": "I do not agree", "reason": ""}', Verdict(False)),
        ("I disagree: it is far.", Verdict(False, None, "I disagree: it is far.")),
        ("The weather is nice.", None),
        ('{"agree": null, "reason": ""}', None),
        ('{"agree": true, "agree": false}', None),
        (
            '{"agree": false, "action": "move(box_blue, nowhere)", "reason": "a"}',
            Verdict(False, None, "a"),
        ),
        ("{}", None),
    ],
)
def test_agreement_in_any_case_and_punctuation(stage: Stage, reply: str, verdict: Verdict | None) -> None:
    assert read_verdict(reply, stage, 0) == verdict


def test_halves_of_surrogate_pairs_do_not_come_through(stage: Stage) -> None:
    """They could be neither sent back nor written down."""
    verdict = read_verdict('{"agree": false, "reason": "a\\ud800b"}', stage, 0)
    assert verdict == Verdict(False, None, "a?b")
    (problem,) = read_plan('{"Agent\\udfff": "stay"}', stage).problems
    assert problem == "There is no Agent?."


def test_reasons_are_shortened(stage: Stage) -> None:
    verdict = read_verdict(json.dumps({"agree": False, "reason": "x" * 1000}), stage, 0)
    assert verdict is not None and len(verdict.reason) == 200


@given(st.text(alphabet='{}[]":, ab1\\', max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    for found in find_objects(text):
        assert isinstance(found.value, dict)


@pytest.mark.parametrize("text", ["{" * 100_000, '{"a":' * 5000 + "1" + "}" * 5000, "[" * 10_000 + "{}"])
def test_deep_brackets_are_no_trap(text: str) -> None:
    assert all(found.value == {} for found in find_objects(text))
