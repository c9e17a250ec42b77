"""A timestep and a gradient step of STEER start few operations: of short ones that is all they cost."""

from __future__ import annotations

from operations import Operations

from baselines.algorithms.registry import ALGORITHMS
from baselines.networks.policy import PolicySpec
from baselines.training.population import Population
from baselines.training.rollout import decision_noise
from benchmarks.training_speed import Free
from stmg_envs.protocol import GameVectorEnv, Streams

STEPS, EPOCHS = 50, 4
TIMESTEP, GRADIENT_STEP = 150, 400
"""Operations at most of one run with two agents, beside the game's: a timestep with what comes of it in a
rollout, and a gradient step."""


def test_steer_starts_few_operations() -> None:
    game, spec = Free(2), ALGORITHMS["steer"]
    env = GameVectorEnv(game, 4, validate=False)
    config = spec.config_class(num_envs=4, rollout_steps=STEPS, epochs=EPOCHS)  # type: ignore[call-arg]
    (obs_dim,) = game.observation_space.shape or (0,)
    sizes = PolicySpec(game.n, obs_dim, None, game.action_width, discrete=True, fully_observed=True)
    population = Population(lambda: spec.build(config, sizes), [0])
    learner = spec.learner(config, population, game.n)
    collector = learner.collector(env, decision_noise(game.n, game.action_width, discrete=True))
    collector.observations, _ = env.reset(seed=0)
    streams = Streams.from_seeds([0])
    batch, _ = collector.collect(streams, 0.0)
    learner.update(batch, 0.0, streams)
    with Operations() as playing:
        batch, _ = collector.collect(streams, 0.0)
    with Operations() as learning:
        learner.update(batch, 0.0, streams)
    for counted, times, limit in ((playing, STEPS, TIMESTEP), (learning, EPOCHS, GRADIENT_STEP)):
        each, often = counted.started.total() / times, counted.started.most_common(8)
        assert each <= limit, f"{each} operations, at most {limit} were expected; most often {often}"
