"""Where the program waits for the device in a step of a game, a rollout and an update."""

from __future__ import annotations

import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import torch

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

OURS = ("/baselines/", "/stmg_envs/", "/wrappers/")


def waits_of(call: Callable[[], object]) -> Counter[str]:
    """How often a call waits, by the line of ours that waits."""
    places: Counter[str] = Counter()

    def note(message: object, *_: object, **__: object) -> None:
        if "called a synchronizing" not in str(message):
            return
        ours = [frame for frame in traceback.extract_stack() if any(part in frame.filename for part in OURS)]
        where = ours[-1] if ours else traceback.extract_stack()[-2]
        places["/".join(where.filename.split("/")[-2:]) + f":{where.lineno}"] += 1

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note
        torch.cuda.set_sync_debug_mode("warn")
        try:
            call()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return places


def stage(setting: Setting) -> Iterator[Row]:
    """Everything operation by operation, as it is where nothing is recorded."""
    if not setting.accelerated:
        yield {"left out": "only CUDA tells waits; tests record on a CPU, which fails where something asks"}
        return
    with capturing(False):
        for name in GAMES:
            env = started_game(name, 64, setting.device)
            actions = random_actions(env)
            env.step(actions)
            yield _row(f"a step of {name}", waits_of(partial(env.step, actions)))
        for name in ("steer", "mat", "step", "happo", "mappo-dri", "dqn-ind", "ddpg-ind"):
            block = started_block(name, "stmg/Penalty-v0", 4, setting.device)
            batch = collect(block)
            update(block, batch)
            yield _row(f"a rollout of {name}", waits_of(partial(collect, block, 1)))
            yield _row(
                f"an update of {name}",
                waits_of(partial(update, block, batch, 1)),
            )


def _row(what: str, places: Counter[str]) -> Row:
    where = ", ".join(f"{place} ({count})" for place, count in places.most_common(12))
    return {"what": what, "waits": sum(places.values()), "where": where or "nowhere"}
