"""Where the data of students come from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from games import Walk
from torch import Tensor

from baselines.distillation.config import DistillationConfig
from baselines.distillation.lessons import LessonCollector, Lessons
from baselines.networks.deterministic import DeterministicPolicy
from baselines.networks.mlp import MLPPolicy
from baselines.networks.policy import JointPolicy, PolicySpec
from baselines.networks.recurrent import RecurrentPolicy
from baselines.networks.steer import SteerNetwork
from baselines.networks.students import Students
from baselines.training.population import Population
from baselines.training.rollout import decision_noise
from stmg_envs.matrix import Cooperation
from stmg_envs.protocol import Game, GameVectorEnv, Streams

RUNS, BATCH, STEPS = 2, 8, 10


def spec_of(game: Game) -> PolicySpec:
    (state_dim,) = (None,) if game.state_space is None else game.state_space.shape
    (obs_dim,) = game.observation_space.shape
    return PolicySpec(game.n, obs_dim, state_dim, game.action_width, game.discrete, game.fully_observed)


def collector_of(
    game: Game, teacher: Callable[[PolicySpec], JointPolicy], **config: float
) -> LessonCollector:
    """A collector at the start of its episodes, with policies as they are before any training."""
    spec = spec_of(game)
    students = Population(lambda: Students(spec, (8,)), range(RUNS))
    teachers = Population(lambda: teacher(spec), range(10, 10 + RUNS))
    settings = DistillationConfig(teacher="nowhere", rollout_steps=STEPS, **config)  # type: ignore[arg-type]
    noise = decision_noise(spec.n, spec.action_width, spec.discrete)
    env = GameVectorEnv(game, RUNS * BATCH)
    collector = LessonCollector(env, students, teachers, noise, settings)
    collector.observations, _ = env.reset(seed=0)
    return collector


def steer(spec: PolicySpec) -> JointPolicy:
    return SteerNetwork(spec, dim=8, blocks=1, heads=1)


def collect(collector: LessonCollector, progress: float) -> tuple[Lessons, Tensor]:
    lessons, metrics = collector.collect(Streams.from_seeds(range(RUNS)), progress)
    return lessons, metrics["teacher_share"]


@pytest.mark.parametrize(("progress", "share"), [(0.0, 1.0), (0.25, 0.625), (0.5, 0.25), (1.0, 0.25)])
def test_the_teachers_share_falls_and_both_play(progress: float, share: float) -> None:
    collector = collector_of(Cooperation(), steer, teacher_share_end=0.25, teacher_share_anneal=0.5)
    lessons, found = collect(collector, progress)
    torch.testing.assert_close(found, torch.full((RUNS,), share))
    assert lessons.by_teacher.shape == (RUNS, STEPS * BATCH)
    assert lessons.actions.shape == (RUNS, STEPS * BATCH, 2)


@pytest.mark.parametrize(("share", "followed"), [(1.0, True), (0.0, False)])
def test_who_plays_decides_where_the_game_goes(share: float, followed: bool) -> None:
    """The next observations are those after the teacher's actions, or after others."""
    shares = {"teacher_share_start": share, "teacher_share_end": share}
    collector = collector_of(Walk(), partial(MLPPolicy, hidden=(8,), shared=True, central=True), **shares)
    lessons, _ = collect(collector, 0.0)
    replay = GameVectorEnv(Walk(), RUNS * BATCH)
    observations, _ = replay.reset(seed=0)
    equal = []
    for t in range(STEPS):
        rows = slice(t * BATCH, (t + 1) * BATCH)
        seen = lessons.inputs["observation"][:, rows].flatten(0, 1)
        equal.append(torch.equal(seen, observations["observation"]))
        observations, *_ = replay.step(lessons.actions[:, rows].flatten(0, 1))
    assert equal[0]
    assert all(equal) == followed


def test_what_students_get_is_their_own_observation_and_what_they_may_do() -> None:
    lessons, _ = collect(collector_of(Cooperation(), steer), 0.0)
    assert lessons.inputs.keys() == {"observation", "action_mask"}
    lessons, _ = collect(collector_of(Walk(), steer), 0.0)
    assert lessons.inputs.keys() == {"observation"}


def test_log_probabilities_are_the_teachers_of_its_own_actions() -> None:
    collector = collector_of(Walk(), steer)
    env = GameVectorEnv(Walk(), RUNS * BATCH)
    observations, _ = env.reset(seed=0)
    inputs = {**observations, "priority": env.priority}
    grouped = {name: x.view(RUNS, BATCH, *x.shape[1:]) for name, x in inputs.items()}
    lessons, _ = collect(collector, 0.0)
    judged = collector.teacher.population.evaluate(grouped, lessons.actions[:, :BATCH])
    torch.testing.assert_close(judged.log_probs.detach(), lessons.log_probs[:, :BATCH])


def test_a_teacher_that_remembers_forgets_where_episodes_end() -> None:
    teacher = partial(RecurrentPolicy, hidden=(8,), shared=True, central=True, chunk_length=5)
    collector = collector_of(Walk(), teacher)
    before = collector.teacher.memory.clone()
    # Ten steps of episodes of nine: all are in their first step, or in a later one where all left early.
    collect(collector, 0.0)
    assert (before == 0).all()
    assert (collector.teacher.memory != 0).any()
    ended = torch.zeros(collector.teacher.memory.shape[:3], dtype=torch.bool)
    ended[0] = True
    collector.teacher.forget(ended)
    assert (collector.teacher.memory[0] == 0).all()
    assert (collector.teacher.memory[1] != 0).any()


def test_an_exact_teacher_is_taken_for_a_normal_one() -> None:
    teacher = partial(DeterministicPolicy, hidden=(8,), central=False)
    lessons, _ = collect(collector_of(Walk(), teacher), 0.0)
    # Two dimensions, deviation 0.1: at most -2 log(0.1 sqrt(2 pi)).
    assert lessons.log_probs.max() <= 2.768
    assert lessons.log_probs.std() > 0.5
