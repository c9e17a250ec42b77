"""A page for each environment: its row of the registry, a picture, and its docstring."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from sphinx.application import Sphinx

import stmg_envs
from extensions.pages import code, rst, table, toctree, write_page
from stmg_envs import Backend, GameSpec
from stmg_envs.errors import MissingEngineError
from stmg_envs.games import BOUNDS_VERSION

TIMESTEPS = 3
"""Joint steps before the picture."""


def draw(spec: GameSpec, path: Path) -> None:
    """Write a picture of the game as it is drawn after some random steps with seed 0."""
    env = stmg_envs.parallel_env(spec.id, render_mode="rgb_array")
    env.reset(seed=0)
    for seed, agent in enumerate(env.possible_agents):
        env.action_space(agent).seed(seed)
    for _ in range(TIMESTEPS):
        if env.agents:
            env.step({agent: env.action_space(agent).sample() for agent in env.agents})
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(env.render()).save(path)
    env.close()


def arguments(values: Mapping[str, Any]) -> str:
    """Arguments of a game as code."""
    return ", ".join(code(f"{name}={value!r}") for name, value in values.items()) or "none"


def backend_row(name: str, backend: Backend) -> str:
    """What a backend needs."""
    extra = f"needs {code(f'stmg[{backend.extra}]')}" if backend.extra else "part of the package"
    return f"{code(name)} ({extra})"


def facts(spec: GameSpec) -> str:
    """The row of the registry."""
    game = stmg_envs.joint_spaces(spec.id)
    known = ((dict(spec.task_args), spec.bounds), *spec.other_bounds)
    bounds = [(arguments(given), *scale) for given, scale in known if scale is not None]
    rows = [
        ("Agents", ", ".join(map(code, game.agents))),
        ("Action spaces", ", ".join(dict.fromkeys(code(space) for space in game.action_spaces))),
        ("Observation space", code(game.observation_space)),
        ("State space", "none" if game.state_space is None else code(game.state_space)),
        ("Computed by", ", ".join(backend_row(*item) for item in spec.backends.items())),
        ("Best known exactly", "no" if spec.optimum is None else f"{spec.optimum:.6g}"),
    ]
    scores = [(name, f"{low:.6g}", f"{high:.6g}") for name, low, high in bounds]
    return "\n\n".join(
        (
            table(("With default arguments", ""), rows),
            f"Returns that count as scores 0 and 1 (version {BOUNDS_VERSION} of the bounds):",
            table(("Arguments", "0", "1"), scores),
        )
    )


def imports(spec: GameSpec) -> bool:
    """Whether the class of a game can be imported without its engine."""
    try:
        importlib.import_module(spec.default.factory.partition(":")[0])
    except ImportError:
        return False
    return True


def page(app: Sphinx, spec: GameSpec) -> Iterator[str]:
    """The parts of a page."""
    yield f"# {spec.name}"
    yield f'```python\nparallel = stmg_envs.parallel_env("{spec.id}")\n```'
    documented = rst(f".. autoclass:: {spec.default.factory.replace(':', '.')}")
    try:
        spec.load()
    except MissingEngineError as error:
        yield f"This site was built without the engine: {error}."
        yield documented if imports(spec) else ""
        return
    draw(spec, Path(app.srcdir) / "generated" / "pictures" / f"{spec.name}.png")
    yield f"![{spec.name} after {TIMESTEPS} random timesteps](../pictures/{spec.name}.png){{.picture}}"
    yield documented
    yield "## In the registry"
    yield facts(spec)


def write_pages(app: Sphinx) -> None:
    """Write a page for each environment, and their table."""
    specs = [stmg_envs.game_spec(id) for id in stmg_envs.list_envs()]
    for spec in specs:
        write_page(app, f"environments/{spec.name}", page(app, spec))
    rows = [(f"[{spec.id}](environments/{spec.name}.md)", spec.family, spec.spaces) for spec in specs]
    write_page(
        app,
        "environments",
        (
            "# Environments",
            "Each game has four views: `stmg_envs.parallel_env`, `stmg_envs.aec_env`, "
            "`stmg_envs.vector_env` and `gymnasium.make`.",
            table(("Id", "Family", "Actions"), rows),
            toctree((f"environments/{spec.name}" for spec in specs), ":hidden:"),
        ),
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages before Sphinx looks for files."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
