"""What a spatio-temporal sequential Markov game is, and the four views on one."""

from stmg_envs.protocol.aec import TurnBasedEnv
from stmg_envs.protocol.capture import Captured, may_ask, nested
from stmg_envs.protocol.episodes import Episodes, Transition, seed_tensor
from stmg_envs.protocol.game import Game, Outcome, State, legal_actions
from stmg_envs.protocol.interleaved_vector import (
    InterleavedVectorEnv,
    interleave,
    interleave_named,
    next_ready,
)
from stmg_envs.protocol.neighbors import fully_connected, to_networkx
from stmg_envs.protocol.numbers import number
from stmg_envs.protocol.parallel import GameParallelEnv, ParallelStep, PriorityParallelEnv, check_action
from stmg_envs.protocol.parallel_block import LOST, Metrics, ParallelBlock
from stmg_envs.protocol.parallel_spaces import ParallelSpaces
from stmg_envs.protocol.parallel_vector import (
    MAX_LOSSES,
    Command,
    EngineVectorEnv,
    Make,
    ParallelVectorEnv,
)
from stmg_envs.protocol.priority import check_priority, identity_priority, priority_indices
from stmg_envs.protocol.randomness import Streams
from stmg_envs.protocol.resources import (
    check_batch,
    check_device,
    missing_device,
    require_memory,
    timestep_bytes,
)
from stmg_envs.protocol.spaces import JointSpaces
from stmg_envs.protocol.stream import TurnStreamEnv
from stmg_envs.protocol.sums import pairwise_sum
from stmg_envs.protocol.tables import FINAL, Layout, Tables, rows_of_tables
from stmg_envs.protocol.threads import default_threads
from stmg_envs.protocol.told import all_agents, checked_reset, checked_step, living_agents, reward_of
from stmg_envs.protocol.turns import Turns, TurnSpaces
from stmg_envs.protocol.vector import GameVectorEnv, JointVectorEnv, Observations
from stmg_envs.protocol.vector_stream import TurnStreamVectorEnv
from stmg_envs.protocol.words import Ask, Complaint, Doubt, GameText, NumbersText

__all__ = [
    "FINAL",
    "LOST",
    "MAX_LOSSES",
    "Ask",
    "Captured",
    "Command",
    "Complaint",
    "Doubt",
    "EngineVectorEnv",
    "Episodes",
    "Game",
    "GameParallelEnv",
    "GameText",
    "GameVectorEnv",
    "InterleavedVectorEnv",
    "JointSpaces",
    "JointVectorEnv",
    "Layout",
    "Make",
    "Metrics",
    "NumbersText",
    "Observations",
    "Outcome",
    "ParallelBlock",
    "ParallelSpaces",
    "ParallelStep",
    "ParallelVectorEnv",
    "PriorityParallelEnv",
    "State",
    "Streams",
    "Tables",
    "Transition",
    "TurnBasedEnv",
    "TurnSpaces",
    "TurnStreamEnv",
    "TurnStreamVectorEnv",
    "Turns",
    "all_agents",
    "check_action",
    "check_batch",
    "check_device",
    "check_priority",
    "checked_reset",
    "checked_step",
    "default_threads",
    "fully_connected",
    "identity_priority",
    "interleave",
    "interleave_named",
    "legal_actions",
    "living_agents",
    "may_ask",
    "missing_device",
    "nested",
    "next_ready",
    "number",
    "pairwise_sum",
    "priority_indices",
    "require_memory",
    "reward_of",
    "rows_of_tables",
    "seed_tensor",
    "timestep_bytes",
    "to_networkx",
]
