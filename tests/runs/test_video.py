"""Films: a picture per timestep, of native games and of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from small import SIZES

import baselines
from baselines.cli import main
from baselines.errors import ConfigError
from baselines.runs.loaded import LoadedPolicy
from baselines.runs.video import film, write_film

SHORT: dict[str, Any] = {"total_steps": 100, "num_envs": 2, "rollout_steps": 25, "eval_interval": 100}


def trained(path: Path, env_id: str) -> Path:
    return baselines.train("mappo", env_id, out=path, **SHORT, **SIZES["mappo"]).path


@pytest.mark.parametrize(
    "env_id", ["stmg/CooperativeHunting-v0", "stmg/Cooperation-v0", "gymnasium/CartPole-v1"]
)
def test_a_film_has_a_picture_per_timestep(tmp_path: Path, env_id: str) -> None:
    run = trained(tmp_path / "run", env_id)
    count = film(run, tmp_path / "film.gif")
    assert count >= 2
    with Image.open(tmp_path / "film.gif") as image:
        assert getattr(image, "n_frames", 1) >= 1
        assert image.width > 100


def test_the_command_films_and_says_where(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", "stmg/Penalty-v0")
    arguments = ["evaluate", str(run), "--episodes", "2", "--video", str(tmp_path / "film.gif")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "film of 2 pictures" in result.output


@pytest.mark.parametrize(
    ("rate", "count", "delays"),
    [
        (4.0, 4, [250, 250, 250, 1250]),
        (30.0, 6, [30, 40, 30, 30, 40, 1030]),
        (50.0, 3, [20, 20, 1020]),
        (125.0, 10, [20, 20, 20, 1020]),
        (1000.0, 1, [1020]),
    ],
)
def test_a_film_lasts_as_long_as_what_it_shows(
    tmp_path: Path, rate: float, count: int, delays: list[int]
) -> None:
    write_film([np.full((8, 8, 3), 20 * i, np.uint8) for i in range(count)], tmp_path / "film.gif", rate)
    with Image.open(tmp_path / "film.gif") as image:
        shown = []
        for index in range(image.n_frames):
            image.seek(index)
            shown.append(image.info["duration"])
        last = np.asarray(image.convert("L"))
    assert shown == delays
    assert last[0, 0] == pytest.approx(20 * (count - 1), abs=1)


@pytest.mark.parametrize("env_id", ["stmg/Penalty-v0", "pettingzoo/mpe2.simple_spread_v3"])
@pytest.mark.parametrize("priority", ["fixed", "random"])
def test_films_are_played_under_the_priority_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env_id: str, priority: str
) -> None:
    arguments: dict[str, Any] = {} if env_id == "stmg/Penalty-v0" else {"N": 2, "max_cycles": 5}
    order = ["agent_1", "agent_0"] if priority == "fixed" else priority
    out = tmp_path / "run"
    baselines.train("mappo", env_id, env_args=arguments, priority=order, out=out, **SHORT, **SIZES["mappo"])
    seen: list[list[int]] = []
    act = LoadedPolicy.act

    def spy(self: LoadedPolicy, observations: Any, priority: Any = None, streams: Any = None) -> Any:
        seen.append(priority[0].tolist())
        return act(self, observations, priority, streams)

    monkeypatch.setattr(LoadedPolicy, "act", spy)
    firsts = []
    for episode in range(5 if priority == "random" else 1):
        seen.clear()
        film(out, tmp_path / "film.gif", episode_seed=episode, trust=True)
        assert all(order == seen[0] for order in seen)
        firsts.append(seen[0])
    if priority == "random":
        assert {tuple(order) for order in firsts} == {(0, 1), (1, 0)}
    else:
        assert firsts == [[1, 0]]


def test_a_film_needs_its_folder_before_anything_is_played(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", "stmg/Penalty-v0")
    video = tmp_path / "none" / "film.gif"
    result = CliRunner().invoke(main, ["evaluate", str(run), "--video", str(video)], terminal_width=200)
    assert result.exit_code == 2 and "there is no folder" in result.output
    assert "mean greedy return" not in result.output


def test_other_files_are_refused_before_anything_is_played(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", "stmg/Penalty-v0")
    with pytest.raises(ConfigError, match=r"expected a name that ends with \.gif"):
        film(run, tmp_path / "film.txt")
