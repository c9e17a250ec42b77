"""How results were made, from the `run.json` or `manifest.json` beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from baselines.algorithms.registry import ALGORITHMS
from baselines.evaluation.numbers import duration, ranges
from baselines.evaluation.results import read_checked

Kind = Literal["algorithm", "variant", "zoo", "language model"]


class LanguageModel(TypedDict):
    """Who answered, and what it took; `transcript` is a file beside the results, `digest` its SHA-256."""

    model: str
    host: str | None
    date: str
    episodes: int
    success: float
    calls: int
    tokens: int
    transcript: str
    digest: str


@dataclass(frozen=True)
class Provenance:
    """What is known of how one algorithm's runs on one task were made.

    Attributes:
        facts: heading -> text, in the order to show them.
        config: the algorithm's configuration.
        kind: "zoo" of one policy that was chosen from its run, "variant" of an algorithm of this package
            under another name than its own, "language model" of what nobody trained here, else "algorithm".
        language_model: who answered, of a language model.
    """

    facts: dict[str, str]
    config: dict[str, Any]
    kind: Kind
    language_model: LanguageModel | None = None


class Recipe(TypedDict, total=False):
    """What decides results."""

    algorithm: str
    env_id: str
    env_args: dict[str, Any]
    priority: list[str] | str | None
    config: dict[str, Any]


class Block(TypedDict, total=False):
    """How some seeds were made."""

    command: str | None
    seeds: list[int]
    seconds: float
    commit: str | None
    versions: dict[str, str]
    python: str | None
    platform: str | None
    device: str | None
    processor: str | None
    salt: str
    salt_drawn: bool


class Run(Recipe, Block, total=False):
    """`run.json`; a policy of the zoo was published."""

    published: dict[str, Any]


class Cell(TypedDict):
    """An entry of `manifest.json`."""

    recipe: Recipe
    blocks: list[Block]
    language_model: NotRequired[LanguageModel]


class ProvenanceReader:
    """Reads what lies beside a results file.

    Args:
        folder: the results file's.
    """

    def __init__(self, folder: Path) -> None:
        run, manifest = folder / "run.json", folder / "manifest.json"
        self._run = read_checked(run, Run) if run.is_file() else None
        entries = read_checked(manifest, dict[str, Cell]) if manifest.is_file() else {}
        self._entries = {name.lower(): entry for name, entry in entries.items()}

    def find(self, task: str, algorithm: str) -> Provenance | None:
        """What is known of an algorithm on a task, names in lower case; None if nothing is."""
        if self._run is not None:
            kind = "zoo" if "published" in self._run else _kind(algorithm, self._run)
            return _provenance(self._run, [self._run], kind)
        entry = self._entries.get(f"{task} / {algorithm}")
        if entry is None:
            return None
        if "language_model" in entry:
            found = _provenance(entry["recipe"], entry["blocks"], "language model")
            return replace(found, language_model=entry["language_model"])
        return _provenance(entry["recipe"], entry["blocks"], _kind(algorithm, entry["recipe"]))


def _kind(name: str, recipe: Recipe) -> Kind:
    """What stands under a name: an algorithm is called by its own, maybe with a suffix, `mappo-dri`."""
    own = recipe.get("algorithm", "")
    return "variant" if own in ALGORITHMS and not f"{name}-".startswith(f"{own}-") else "algorithm"


def _provenance(recipe: Recipe, blocks: Sequence[Block], kind: Kind) -> Provenance:
    """The provenance of a recipe and the blocks of seeds made with it."""
    arguments = "".join(f" {name}={value}" for name, value in recipe.get("env_args", {}).items())
    priority = recipe.get("priority")
    versions = [
        ", ".join(f"{name} {version}" for name, version in block.get("versions", {}).items())
        for block in blocks
    ]
    seeds = [seed for block in blocks for seed in block.get("seeds", [])]
    seconds = sum(block.get("seconds", 0.0) for block in blocks)
    facts = {
        "Command": _distinct(block.get("command") for block in blocks),
        "Algorithm": recipe.get("algorithm", ""),
        "Environment": recipe.get("env_id", "") + arguments,
        "Priority": ", ".join(priority) if isinstance(priority, list) else priority or "the game's default",
        "Seeds": ranges(seeds),
        "Salt": _distinct(_salt(block) for block in blocks),
        "Commit": _distinct(block.get("commit") for block in blocks),
        "Versions": _distinct(versions),
        "Python": _distinct(block.get("python") for block in blocks),
        "Platform": _distinct(f"{b.get('platform', '')} {b.get('device', '')}".strip() for b in blocks),
        "Processor": _distinct(block.get("processor") for block in blocks),
        "Training time": duration(seconds) if seconds else "",
    }
    return Provenance({name: text for name, text in facts.items() if text}, recipe.get("config", {}), kind)


def _salt(block: Block) -> str:
    """What the episodes of somebody's policy were made with, and whether it could know them."""
    known = "drawn, unknown while it was played" if block.get("salt_drawn") else "known before"
    return f"{block['salt']}, {known}" if "salt" in block else ""


def _distinct(texts: Any) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))
