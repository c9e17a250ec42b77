"""Films: a picture per timestep, of native games and of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image
from small import SIZES

import baselines
from baselines.cli import main
from baselines.errors import ConfigError
from baselines.runs.video import film

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


def test_other_files_are_refused_before_anything_is_played(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", "stmg/Penalty-v0")
    with pytest.raises(ConfigError, match=r"expected a name that ends with \.gif"):
        film(run, tmp_path / "film.txt")
