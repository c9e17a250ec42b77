"""How many kernels a step, a decision and an update start, and how long the device computes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from torch.profiler import ProfilerActivity, profile

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


def stage(setting: Setting) -> Iterator[Row]:
    """Operation by operation."""
    if not setting.accelerated:
        yield {"left out": "only CUDA tells kernels"}
        return
    with capturing(False):
        for name in ("steer", "mappo"):
            for runs in (1, 256):
                block = started_block(name, "stmg/Penalty-v0", runs, setting.device)
                batch = collect(block)
                update(block, batch)
                yield _row(setting, f"an update of {runs} x {name}", partial(update, block, batch))
        for name in GAMES:
            env = started_game(name, 16384, setting.device)
            actions = random_actions(env)
            env.step(actions)
            yield _row(setting, f"a step of 16,384 {name}", partial(env.step, actions))


def _row(setting: Setting, what: str, call: Callable[[], object]) -> Row:
    setting.wait()
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        call()
        setting.wait()
    kernels = [event for event in seen.events() if str(event.device_type).endswith("CUDA")]
    spent: Counter[str] = Counter()
    for event in kernels:
        spent[_short(event.name)] += event.device_time_total
    most = "; ".join(f"{name} {taken / 1e3:.2f}" for name, taken in spent.most_common(8))
    return {
        "what": what,
        "kernels": len(kernels),
        "device ms": round(sum(spent.values()) / 1e3, 3),
        "most of them, ms": most,
    }


def _short(kernel: str) -> str:
    """The name of a kernel without where it comes from, cut."""
    for noise in ("void ", "at::native::", "(anonymous namespace)::", "std::array<char*, ", "unrolled_"):
        kernel = kernel.replace(noise, "")
    return kernel.replace("|", "/")[:110]
