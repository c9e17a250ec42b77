"""Games with sequential decisions inside a timestep, as Gymnasium and PettingZoo environments.

Importing this package registers every id with both libraries.
"""

from stmg_envs import equilibria
from stmg_envs.registry import (
    aec_env,
    game_spec,
    joint_spaces,
    list_envs,
    make_game,
    parallel_env,
    register_all,
    turn_stream,
    vector_env,
    vector_turn_stream,
)

register_all()

__all__ = [
    "aec_env",
    "equilibria",
    "game_spec",
    "joint_spaces",
    "list_envs",
    "make_game",
    "parallel_env",
    "register_all",
    "turn_stream",
    "vector_env",
    "vector_turn_stream",
]
