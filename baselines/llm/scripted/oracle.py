"""Answers as planners that know the game would give them: a protocol test, never a result.

It reads nothing but the conversation, as a model does, so that what it plays well is told rightly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from stmg_envs.allocation import best_total, shared_out
from stmg_envs.transport import GreedyPlayer, GridTransport

SITUATION = "The situation in step"
LEGAL = "What agents can do now"


def answer(body: Mapping[str, Any]) -> str:
    """The reply to a request of the chat protocol, as JSON.

    Critics and who decides plan as `GreedyPlayer` does, or share out the best sum; in other games everybody
    does the first that it can. Agents agree with their parts, and in their turns play them.
    """
    messages: Sequence[Mapping[str, str]] = body["messages"]
    last = messages[1]["content"]
    if "Do you agree?" in last:
        return json.dumps({"agree": True, "action": None, "reason": ""})
    if found := re.search(r"^What you were advised: (.*)$", last, re.MULTILINE):
        agent = re.match(r"You are (.*?)\. What", last)
        return json.dumps({agent[1] if agent else "": found[1]})
    found_plan = plan(messages[0]["content"], last)
    if "You are two critics" in last:
        return json.dumps({"explorer": found_plan, "exploiter": found_plan})
    return json.dumps(found_plan)


def plan(rules: str, told: str) -> dict[str, str]:
    """The plan for a situation in words, by the rules in words."""
    situation = told[told.rindex(SITUATION) :]
    scene, _, choices = situation.partition(LEGAL)
    listed = choices.partition("\n")[2].partition("\n\n")[0]
    legal = {
        name: actions.split("; ") for name, actions in re.findall(r"^(\S.*?): (.+)$", listed, re.MULTILINE)
    }
    if grid := re.search(r"on a grid of (\d+) rows and (\d+) columns", rules):
        return greedy_plan(int(grid[1]), int(grid[2]), scene)
    if stock := re.search(
        r"^(\d+) agents take shares.*?mu = ([\d.]+) and sigma = ([\d.]+)", rules, re.DOTALL
    ):
        best = best_total(int(stock[1]), torch.tensor([float(stock[2])]), float(stock[3]))
        shares = shared_out(best, int(stock[1]))[0].tolist()
        return dict(zip(legal, map(str, shares), strict=True))
    return {name: actions[0] for name, actions in legal.items()}


def greedy_plan(rows: int, columns: int, scene: str) -> dict[str, str]:
    """What `GreedyPlayer` plays on a grid whose scene is told in words; who stays is left out."""
    game = GridTransport("hard" if "position[" in scene else "easy", rows, columns)
    board, text = game.board, game.text()
    boxes = torch.zeros(1, 5, len(board.places), dtype=torch.int64)
    targets = torch.zeros(1, 5, board.n, dtype=torch.int64)
    names = [f"{{}}_{color}" for color in ("blue", "red", "green", "purple", "orange")]
    where = {name: place for place, name in enumerate(text.places)}
    squares = {name: square for square, name in enumerate(text.squares)}
    for place, things in re.findall(
        r"^(?:Agent\S+ \S+ in )?((?:square|position)\[.*?\]): (.*)$", scene, re.M
    ):
        for color, name in enumerate(names):
            listed = things.split(", ")
            if place in where:
                boxes[0, color, where[place]] += listed.count(name.format("box"))
            if place in squares:
                targets[0, color, squares[place]] += listed.count(name.format("target"))
    actions = greedy_actions(game, boxes, targets)
    return {text.agents[agent]: text.actions(agent)[action] for agent, action in enumerate(actions) if action}


def greedy_actions(game: GridTransport, boxes: torch.Tensor, targets: torch.Tensor) -> list[int]:
    """What a new `GreedyPlayer` plays, so that random moves depend on nothing but the situation, (n,).

    Args:
        game: the game.
        boxes: of each colour in each place, (1, 5, P).
        targets: of each colour in each square, (1, 5, n).
    """
    seed = int(torch.cat([boxes.flatten(), targets.flatten()]).nonzero().sum())
    actions: list[int] = GreedyPlayer(game.board, seed)({"boxes": boxes, "targets": targets})[0].tolist()
    return actions
