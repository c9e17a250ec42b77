"""How fast games and learners are, recorded and operation by operation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial

from benchmarks.gpu.setting import (
    GAMES,
    Row,
    Setting,
    capturing,
    collect,
    random_actions,
    started_block,
    started_game,
    update,
)
from stmg_envs.combat import Skirmish

SKIRMISH = {"map": "5m_vs_6m", "dead": "stay", "reward": "own_health", "reward_negative_scale": 0.1}
"""Arguments of the table of skirmishes."""

LEARNERS = ("steer", "mappo", "happo", "mat", "step")


def games(setting: Setting) -> Iterator[Row]:
    """Steps of random play per second, with autoreset."""
    for name in GAMES:
        for batch in (64,) if setting.quick else (1024, 16384, 65536):
            row: Row = {"game": name, "environments": batch}
            for how, on in (("eager", False), ("recorded", True)):
                with capturing(on):
                    env = started_game(name, batch, setting.device)
                    actions = random_actions(env)
                    took = setting.ms(partial(env.step, actions), 20)
                row |= {f"{how} ms": took, f"{how} million steps/s": round(batch / took / 1e3, 3)}
            yield row


def learners(setting: Setting) -> Iterator[Row]:
    """A rollout and an update of whole populations on Penalty: 4 environments, 25 timesteps, 5 epochs."""
    for runs in (2,) if setting.quick else (1, 256, 32, 1024):
        for name in LEARNERS if runs in (1, 2, 256) else LEARNERS[:1]:
            # The difference that recording makes is shown for one of them.
            ways = (False, True) if name == LEARNERS[0] and runs < 1024 else (True,)
            yield _learner(setting, name, "stmg/Penalty-v0", runs, ways)


def benchmarks(setting: Setting) -> Iterator[Row]:
    """One run of MAPPO and STEER on hunting and merging, with their presets."""
    for game in ("stmg/CooperativeHunting-v0", "stmg/OnRampMerge-v0"):
        for name in ("mappo", "steer"):
            config = {"num_envs": 4, "rollout_steps": 5} if setting.quick else {}
            yield _learner(setting, name, game, 1, (True,), None, **config)


def skirmish(setting: Setting) -> Iterator[Row]:
    """Five runs on 5m_vs_6m, as the table of skirmishes trains them, with the game's ticks as they are."""
    config = {"num_envs": 4, "rollout_steps": 2} if setting.quick else {}
    for name in ("mappo-dri", "steer", "mat", "happo"):
        yield _learner(setting, name, "stmg/Skirmish-v0", 5, (True,), SKIRMISH, **config)


def compiled_skirmish(setting: Setting) -> Iterator[Row]:
    """Steps of skirmishes whose ticks are compiled, after as long as compiling takes."""
    if not setting.accelerated:
        yield {"left out": "benchmarks.combat_speed compiles on a CPU, which not every version of torch can"}
        return
    for batch in (640, 16384):
        start = time.perf_counter()
        env = started_game("stmg/Skirmish-v0", batch, setting.device)
        assert isinstance(env.game, Skirmish)
        env.game.compile()
        actions = random_actions(env)
        took = setting.ms(partial(env.step, actions), 20)
        seconds = round(time.perf_counter() - start, 1)
        yield {"environments": batch, "seconds until measured": seconds, "recorded ms": took}


def _learner(
    setting: Setting,
    name: str,
    game: str,
    runs: int,
    captured: tuple[bool, ...],
    env_args: Mapping[str, object] | None = None,
    **config: object,
) -> Row:
    row: Row = {"algorithm": name, "game": game, "runs": runs}
    for on in captured:
        with capturing(on):
            block = started_block(name, game, runs, setting.device, env_args, **config)
            batch = collect(block)
            rollout = setting.ms(partial(collect, block), 3, 1)
            took = setting.ms(partial(update, block, batch), 3, 1)
        how = "recorded" if on else "eager"
        steps = runs * block.plan.config.batch
        row |= {
            f"{how} rollout ms": rollout,
            f"{how} update ms": took,
            f"{how} thousand steps/s": round(steps / (rollout + took), 1),
        }
    return row
