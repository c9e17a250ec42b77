"""Multi-agent MuJoCo: one body, several agents that each move some of its joints."""

from stmg_envs.mujoco.game import MultiAgentMujoco

__all__ = ["MultiAgentMujoco"]
