"""Names of tasks, folders and files: different things have different ones, and file systems take them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from baselines.evaluation.names import file_name, short_name
from baselines.evaluation.results import task_name
from baselines.runs.api import default_out
from baselines.runs.plan import make_plan

LONG = "a" * 300


@pytest.mark.parametrize(
    ("env_id", "arguments", "name"),
    [
        ("stmg/Penalty-v0", {"k": -100.0}, "penalty(k=-100)"),
        ("pettingzoo/penalty", {"k": -100}, "pettingzoo/penalty(k=-100)"),
        ("pettingzoo/mixing", {}, "pettingzoo/mixing"),
        ("gymnasium/Mod-v0", {}, "gymnasium/mod-v0"),
        ("gymnasium/X-v0", {"b": 2, "a": 1}, "gymnasium/x-v0(a=1,b=2)"),
        (
            "stmg/MultiAgentMujoco-v0",
            {"agent_conf": "2x3", "scenario": "HalfCheetah"},
            "multiagentmujoco(scenario=halfcheetah,agent_conf=2x3)",
        ),
        (
            "stmg/MatrixGame-v0",
            {"payoffs": np.array([[1.0, 2.5]])},
            "matrixgame(payoffs=[[1,2.5]])",
        ),
        ("stmg/MatrixGame-v0", {"payoffs": [[1, 2.5]]}, "matrixgame(payoffs=[[1,2.5]])"),
    ],
)
def test_tasks(env_id: str, arguments: dict[str, Any], name: str) -> None:
    assert task_name(env_id, arguments) == name


def test_large_arrays_are_named_in_full() -> None:
    payoffs = np.zeros((2, 40, 40))
    other = payoffs.copy()
    other[1, 20, 20] = 1.0
    names = {task_name("stmg/MatrixGame-v0", {"payoffs": table}) for table in (payoffs, other)}
    assert len(names) == 2


def test_short_names_stay_and_long_ones_end_with_a_hash_of_all() -> None:
    assert file_name("ippo-penalty(k=-100)") == "ippo-penalty-k=-100-"
    assert short_name("a" * 200) == "a" * 200
    assert short_name(LONG) == "a" * 187 + "-9835fa6bf4e2"
    assert short_name(LONG + "b") == "a" * 187 + "-" + short_name(LONG + "b")[-12:]
    assert short_name(LONG) != short_name(LONG + "b")


def test_letters_of_several_bytes_are_not_torn() -> None:
    name = short_name("\N{SNOWMAN}" * 100)
    assert name.startswith("\N{SNOWMAN}" * 62 + "-") and len(name.encode()) <= 200


def test_a_run_on_a_large_payoff_table_has_a_folder(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = (np.arange(98) % 97).reshape(2, 7, 7).tolist()
    out = default_out(make_plan("ippo", "stmg/MatrixGame-v0", env_args={"payoffs": table}))
    out.mkdir(parents=True)
    assert out.name.startswith("ippo-matrixgame-payoffs=") and len(out.name) == 216
