"""Games with sequential decisions inside a timestep, as Gymnasium and PettingZoo environments.

Importing this package registers every id with both libraries.
"""

from stmg_envs import equilibria
from stmg_envs.registration import register, register_all
from stmg_envs.registry import game_spec, list_envs
from stmg_envs.spec import Backend, GameSpec
from stmg_envs.views import (
    aec_env,
    joint_spaces,
    make_game,
    parallel_env,
    turn_stream,
    vector_env,
    vector_turn_stream,
)

register_all()

__all__ = [
    "Backend",
    "GameSpec",
    "aec_env",
    "equilibria",
    "game_spec",
    "joint_spaces",
    "list_envs",
    "make_game",
    "parallel_env",
    "register",
    "register_all",
    "turn_stream",
    "vector_env",
    "vector_turn_stream",
]
