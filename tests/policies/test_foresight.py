"""Nobody foresees the episodes of an official evaluation, and everybody can play them afterwards."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from foresight import EPISODES, GAME, SEED

from baselines.cli import main
from baselines.errors import ConfigError
from baselines.leaderboard.provenance import ProvenanceReader
from baselines.policies import EvaluationFiles, Limits, Salt, Task, evaluate_policies

linux = pytest.mark.skipif(sys.platform != "linux", reason="policies are confined on Linux only")

GIVEN = "00112233445566778899aabbccddeeff"
OTHER = "ffeeddccbbaa99887766554433221100"


@pytest.fixture(autouse=True)
def _in_this_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)


@linux
def test_nobody_rebuilds_the_episodes_of_an_official_evaluation(tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = [word for name in ("foresight:KnowsSeeds", "hostile:Last") for word in ("--policy", name)]
    options += ["--env", GAME, "--seeds", f"{SEED},", "--episodes", str(EPISODES), "--out", str(out)]
    result = CliRunner().invoke(main, ["evaluate", *options, "--policy-arg", "salt=unknown"])
    assert result.exit_code == 0, result.output
    official, last = json.loads((out / "manifest.json").read_text()).values()
    assert (official["status"], official["printed"]) == ("ok", "0 of 120\n" * EPISODES)

    # What is published makes the same episodes again: whoever knows it knows every observation.
    (block,) = last["blocks"]
    assert block["salt_drawn"]
    task = Task(GAME, seeds=(SEED,), episodes=EPISODES, salt=Salt(block["salt"]))
    policies = ["foresight:KnowsSalt", "hostile:Last"]
    knowing, again = evaluate_policies(policies, task, {"salt": block["salt"]})
    assert (knowing.status, knowing.verdict.output) == ("ok", "120 of 120\n" * EPISODES)
    results = json.loads((out / "results.json").read_text())["stmg"][Task(GAME).name]
    (metrics,) = again.tally.run_metrics() or []
    assert results["Last"][f"seed_{SEED}"]["absolute_metrics"]["return"] == metrics["return"]


@linux
def test_the_salt_is_nowhere_while_policies_play(tmp_path: Path) -> None:
    out, limits = tmp_path / "out", Limits(decision_seconds=20)
    task = Task("stmg/Penalty-v0", seeds=(0,), episodes=1, salt=Salt(GIVEN))
    arguments = {"salt": GIVEN, "out": str(out)}
    files = EvaluationFiles(out, task, {}, limits)
    policies = ["hostile:Last", "foresight:Searches"]
    found = evaluate_policies(policies, task, arguments, limits=limits, watch=files.add)
    assert [(one.status, one.detail) for one in found] == [("ok", ""), ("ok", "")]
    files.publish()
    for name in ("last", "searches"):
        provenance = ProvenanceReader(out).find("penalty(k=0)", name)
        assert provenance is not None
        assert provenance.facts["Salt"] == f"{GIVEN}, known before"


def test_a_salt_decides_about_episodes() -> None:
    keys = Salt(GIVEN).keys((3, 5), 2)
    assert keys.tolist() == [
        [7544229919297891561, -1325727158175613198],
        [4574645353020041527, 1260332497694244792],
    ]
    assert keys[1].tolist() == Salt(GIVEN).keys((5,), 9)[0, :2].tolist()
    others = Salt(OTHER).keys((3, 5), 2)
    assert not set(keys.flatten().tolist()) & set(others.flatten().tolist())


def test_every_evaluation_has_a_salt_of_its_own() -> None:
    first, second = Task("stmg/Penalty-v0"), Task("stmg/Penalty-v0")
    assert first.salt.drawn and first.salt.digits != second.salt.digits
    assert first.salt.digits not in repr(first)


@pytest.mark.parametrize("digits", ["", "0x1", GIVEN.upper(), GIVEN + "0"])
def test_what_is_no_salt_is_refused(digits: str) -> None:
    with pytest.raises(ConfigError, match=f"salt='{digits}' is not accepted; expected 32 digits"):
        Salt(digits)
