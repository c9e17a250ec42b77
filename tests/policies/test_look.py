"""What is surely missing of a policy is known without running it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from baselines.policies.look import Message, look, missing

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _from_this_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


@pytest.mark.parametrize("name", ["Own", "Inherits", "Assigned", "Greedy", "Renamed", "Inner", "Made"])
def test_what_may_be_a_policy_is_left_to_the_import(name: str) -> None:
    assert look(f"looked_at:{name}") == {}
    assert "looked_at" not in sys.modules


CLASSES = ["Assigned", "Inherits", "Nothing", "Own"]


@pytest.mark.parametrize(
    ("policy", "answer"),
    [
        ("looked_at:Nothing", {"missing": "Nothing has no method 'act' (nor 'act_batch')"}),
        ("looked_at:Hidden", {"missing": "looked_at has no class 'Hidden'", "known": CLASSES}),
        ("looked_at.inner:Own", {"missing": "there is no module 'looked_at.inner'"}),
        ("nowhere.at_all:Own", {"missing": "there is no module 'nowhere'"}),
        (
            "json.decoder:Decoder",
            {
                "missing": "json.decoder has no class 'Decoder'",
                "known": ["JSONDecodeError", "JSONDecoder"],
            },
        ),
        ("math:Own", {}),
    ],
)
def test_what_is_missing_is_named(policy: str, answer: Message) -> None:
    assert look(policy) == answer
    assert "looked_at" not in sys.modules


@pytest.mark.parametrize(
    "source",
    [
        "from elsewhere import *",
        "globals()['Own'] = type('Own', (), {})",
        "def __getattr__(name): ...",
        "exec('class Own: ...')",
        "import sys; setattr(sys.modules[__name__], 'Own', int)",
    ],
)
def test_names_that_may_come_from_elsewhere_are_left_to_the_import(source: str) -> None:
    assert missing("module", ast.parse(source), "Own") == {}


@pytest.mark.parametrize(
    "source",
    [
        "class Own(Base): ...",
        "@policy\nclass Own: ...",
        "class Own(metaclass=M): ...",
        "class Own: ...\nOwn.act = f",
    ],
)
def test_methods_that_may_come_from_elsewhere_are_left_to_the_import(source: str) -> None:
    assert missing("module", ast.parse(source), "Own") == {}
    assert missing("module", ast.parse("class Own: ..."), "Own") != {}
