"""Matrix games: one-shot, repeated and multi-step."""

from stmg_envs.matrix.marks import table_marks
from stmg_envs.matrix.matrix_game import MatrixGame
from stmg_envs.matrix.multi_step import Cooperation, Coordination
from stmg_envs.matrix.one_shot import (
    CollectionStage,
    Escape,
    HuntingStage,
    Maintain,
    Meeting,
    Mixing,
    Penalty,
    PrisonersDilemma,
)
from stmg_envs.matrix.rendering import render_ansi, render_rgb
from stmg_envs.matrix.stage_game import StageGame

__all__ = [
    "CollectionStage",
    "Cooperation",
    "Coordination",
    "Escape",
    "HuntingStage",
    "Maintain",
    "MatrixGame",
    "Meeting",
    "Mixing",
    "Penalty",
    "PrisonersDilemma",
    "StageGame",
    "render_ansi",
    "render_rgb",
    "table_marks",
]
