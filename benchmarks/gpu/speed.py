"""How fast games and learners are, recorded and operation by operation."""

from __future__ import annotations

from collections.abc import Iterator
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
    for runs in (2,) if setting.quick else (1, 32, 256, 1024):
        for name in LEARNERS if runs in (1, 256) or setting.quick else LEARNERS[:2]:
            yield _learner(setting, name, "stmg/Penalty-v0", runs, (False, True) if runs != 1024 else (True,))


def benchmarks(setting: Setting) -> Iterator[Row]:
    """One run of MAPPO and STEER on hunting and merging, with their presets."""
    for game in ("stmg/CooperativeHunting-v0", "stmg/OnRampMerge-v0"):
        for name in ("mappo", "steer"):
            config = {"num_envs": 4, "rollout_steps": 5} if setting.quick else {}
            yield _learner(setting, name, game, 1, (True,), **config)


def _learner(
    setting: Setting, name: str, game: str, runs: int, captured: tuple[bool, ...], **config: object
) -> Row:
    row: Row = {"algorithm": name, "game": game, "runs": runs}
    for on in captured:
        with capturing(on):
            block = started_block(name, game, runs, setting.device, **config)
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
