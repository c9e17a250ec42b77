"""Scenarios of the engine, and how many players of the left team are ours to move."""

from __future__ import annotations

import pkgutil
from typing import Any

import gfootball.scenarios
from gfootball.env.config import Config

from stmg_envs.arguments import require_count
from stmg_envs.errors import InvalidArgumentError, suggestion

AGENTS = {"academy_counterattack_easy": 4, "academy_counterattack_hard": 4}
"""Agents where the literature moves fewer than all players on the field: those that attack."""

SCENARIOS = tuple(
    module.name for module in pkgutil.iter_modules(gfootball.scenarios.__path__) if not module.ispkg
)
"""Names of all scenarios that the engine's package has."""


def configure(scenario: str, agents: int, seed: int) -> Any:
    """The engine's `ScenarioConfig` of one episode; resetting an engine uses it up.

    Args:
        scenario: one of `SCENARIOS`.
        agents: players of the left team that are moved from outside.
        seed: of the engine's randomness. Who kicks off in a full match depends on whether it is odd.
    """
    values = {
        "level": scenario,
        "players": [f"agent:left_players={agents}"],
        "game_engine_random_seed": seed,
        "episode_number": seed,
    }
    return Config(values).ScenarioConfig()


def count_agents(scenario: object, num_agents: object) -> int:
    """How many agents there are; by default all players on the left but the keeper, or what `AGENTS` says.

    Raises:
        InvalidArgumentError: if there is no such scenario, or it has not so many players.
    """
    if not isinstance(scenario, str) or scenario not in SCENARIOS:
        raise InvalidArgumentError(
            f"scenario={scenario!r} is unknown; {suggestion(str(scenario), SCENARIOS)}"
        )
    config = configure(scenario, 1, 0)
    if num_agents is None:
        return AGENTS.get(scenario, max(1, len(config.left_team) - 1))
    require_count("num_agents", num_agents, 1, config.controllable_left_players)
    assert isinstance(num_agents, int)
    return num_agents
