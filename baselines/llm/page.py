"""A transcript as pages: what was seen, said and played, a page for each episode."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from baselines.evaluation.html import html_templates
from baselines.llm.answers import find_objects
from baselines.llm.pictures import pictures
from baselines.llm.requests import Usage
from baselines.llm.summary import summarize
from baselines.llm.transcript import Record
from baselines.storage import whole_folder, write_text

INDEX = "index.html"
TITLES = {
    "explorer": "Critic who looks ahead",
    "exploiter": "Critic who takes what is at hand",
    "critics": "Both critics",
    "assessor": "Assessor",
    "planner": "Planner",
}
"""What roles are called on the page; actors are called by their names."""


@dataclass(frozen=True)
class Said:
    """A call as the page shows it.

    Attributes:
        title: who speaks.
        asked: the last that it was told.
        parts: what it said as a table, if it is one.
        text: what it said, if it is no table.
        call: its record.
    """

    title: str
    asked: str
    parts: dict[str, str]
    text: str
    call: Record


@dataclass(frozen=True)
class Shown:
    """A timestep as the page shows it.

    Attributes:
        step: its record, or None if the episode failed in it.
        said: its calls, in order.
        picture: address of what is seen after it, or None.
    """

    step: Record | None
    said: Sequence[Said]
    picture: str | None


def write_pages(records: Sequence[Record], out: Path, watch: Callable[[int], None] | None = None) -> Path:
    """Write `index.html` and a page per episode into a folder; they need no network and no scripts.

    Args:
        records: of a transcript.
        out: the folder; pages that exist are replaced.
        watch: called with the number of each episode whose page is written.

    Returns:
        The first page.

    Raises:
        TranscriptError: if the header tells no setup.
    """
    summary = summarize(records)
    templates = html_templates("baselines.llm", "baselines.evaluation")
    told = {"endpoint": summary.setup.host or "none", "repeats": summary.setup.repeats}
    settings = told | asdict(summary.setup.method) | asdict(summary.setup.sampling)
    common = {
        "summary": summary,
        "setup": summary.setup,
        "settings": settings,
        "header": records[0],
        "tokens": _tokens,
    }
    episodes: dict[int, list[Record]] = {}
    for record in records[1:]:
        episodes.setdefault(record["episode"], []).append(record)
    with whole_folder(out) as folder:
        write_text(folder / INDEX, templates.get_template("transcript.html.j2").render(common) + "\n")
        for end in summary.ends:
            page = {"end": end, **_episode(episodes[end["episode"]], summary.setup, end)}
            path = folder / f"episode-{end['episode']}.html"
            write_text(path, templates.get_template("episode.html.j2").render(common | page) + "\n")
            if watch is not None:
                watch(end["episode"])
    return out / INDEX


def _tokens(end: Record) -> int:
    return Usage(**end["usage"]).tokens


def _episode(own: Sequence[Record], setup: Any, end: Record) -> dict[str, Any]:
    """What the page of an episode shows."""
    steps = {record["timestep"]: record for record in own if record["kind"] == "step"}
    drawn = pictures(setup, end["seed"], [steps[step]["joint_action"] for step in sorted(steps)])
    calls: dict[int, list[Record]] = {}
    for record in own:
        if record["kind"] == "call":
            calls.setdefault(record["timestep"], []).append(record)
    shown = [
        Shown(
            steps.get(timestep),
            [_said(call) for call in sorted(calls.get(timestep, []), key=lambda call: call["number"])],
            drawn[timestep + 1] if timestep in steps and drawn else None,
        )
        for timestep in sorted({*steps, *calls})
    ]
    first = next((call for call in own if call["kind"] == "call"), None)
    rules = first["messages"][0]["content"] if first else ""
    return {"shown": shown, "first": drawn[0] if drawn else None, "rules": rules}


def _said(call: Record) -> Said:
    text = call["reply"]["text"]
    found = find_objects(text) if text else []
    parts = {}
    if len(found) == 1 and not found[0].twice:
        parts = {
            key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for key, value in found[0].value.items()
        }
    title = str(call["agent"] or TITLES.get(call["role"], call["role"]))
    return Said(title, call["messages"][-1]["content"], parts, text or "", call)
