"""One episode: plan, ask, play, remember, timestep by timestep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from baselines.algorithms.config import LONGEST_EPISODE
from baselines.llm.actors import objections, take_turns
from baselines.llm.line import EpisodeFailedError, Line
from baselines.llm.memory import Memory
from baselines.llm.method import Method
from baselines.llm.planning import Plan, Planner
from baselines.llm.prompts import Prompts
from baselines.llm.stage import Stage
from baselines.llm.transcript import Record


@dataclass
class Story:
    """What came of an episode.

    Attributes:
        episode: its number.
        seed: of its environment.
        steps: timesteps that were played.
        feedback: steps whose first plan was sent back, and rounds in which somebody objected, as the authors'
            code counts: what is sent back after an objection does not count.
        returns: undiscounted return of each agent, (n,).
        metrics: the game's own, at the end; empty if it did not end.
        failure: why it ended before its end, or None.
    """

    episode: int
    seed: int
    steps: int = 0
    feedback: int = 0
    returns: tuple[float, ...] = ()
    metrics: dict[str, float] = field(default_factory=dict)
    failure: str | None = None

    @property
    def success(self) -> bool:
        """Whether it came to its end, and to success where the game knows one."""
        return self.failure is None and self.metrics.get("success", 1.0) == 1.0


class EpisodePlayer:
    """Plays one episode.

    Args:
        stage: the game, for this episode alone.
        method: how.
        prompts: what is said.
        line: to the model.
        write: takes records of steps, and of the end.
    """

    def __init__(
        self, stage: Stage, method: Method, prompts: Prompts, line: Line, write: Callable[[Record], None]
    ) -> None:
        self._stage, self._method, self._prompts = stage, method, prompts
        self._line, self._write = line, write
        self._ask = method.ask or ("all" if method.name == "hmas-2" else stage.text.ask)
        self._rounds = stage.text.rounds if method.rounds is None else method.rounds

    async def play(self, seed: int) -> Story:
        """Play it to its end, or as far as it goes; only what nobody can mend is raised.

        Raises:
            EndpointError, TranscriptError: if nobody answers any more.
        """
        story = Story(self._line.episode, seed, returns=(0.0,) * self._stage.n)
        memory = Memory(self._prompts, self._method.memory_tokens)
        self._stage.reset(seed)
        done = False
        try:
            while not done:
                done = await self._step(story, memory)
                if story.steps >= LONGEST_EPISODE:
                    raise EpisodeFailedError(f"no end after {story.steps} steps")
        except EpisodeFailedError as error:
            story.failure = str(error)
        self._write(self._end(story))
        return story

    async def _step(self, story: Story, memory: Memory) -> bool:
        """One timestep; whether the episode is over."""
        stage, timestep = self._stage, story.steps
        self._line.begin(timestep)
        scene, digest = stage.scene(), stage.digest()
        heard: list[dict[str, Any]] = []
        if stage.choosers:
            plan, heard = await self._agreed(story, memory.situation(timestep, stage))
        else:
            plan = tuple(action or 0 for action in stage.undecided)
        actions = plan
        if self._method.actors == "turns":
            actions = await take_turns(self._line, stage, self._method, self._prompts, plan)
        record: Record = {
            "kind": "step",
            "episode": story.episode,
            "timestep": timestep,
            "scene": scene,
            "state": digest,
            "plan": stage.named(plan),
            "objections": heard,
            "actions": stage.named(actions),
            "joint_action": list(actions),
        }
        played = stage.step(actions)
        story.steps += 1
        story.returns = tuple(a + b for a, b in zip(story.returns, played.rewards, strict=True))
        story.metrics = played.metrics
        memory.add(timestep, scene, record["actions"], played.rewards)
        self._write({**record, "rewards": list(played.rewards), "done": played.done})
        return played.done

    async def _agreed(self, story: Story, situation: str) -> tuple[Plan, list[dict[str, Any]]]:
        """The plan after everybody has been asked, and what was objected."""
        planner = Planner(self._line, self._stage, self._method, self._prompts, situation)
        heard: list[dict[str, Any]] = []
        try:
            plan = await planner.plan()
        finally:
            story.feedback += planner.repairs > 0
        for turn in range(self._rounds):
            found = await objections(self._line, self._stage, self._method, self._prompts, plan, self._ask)
            if not found:
                break
            story.feedback += 1
            names = self._stage.text.agents
            heard += [
                {"round": turn, "agent": names[one.agent], "reason": one.reason, "by_rule": one.by_rule}
                for one in found
            ]
            plan = await planner.revise([f"{names[one.agent]}: {one.reason}" for one in found])
        return plan, heard

    def _end(self, story: Story) -> Record:
        line = self._line
        return {
            "kind": "end",
            "episode": story.episode,
            "timestep": story.steps,
            "seed": story.seed,
            "success": story.success,
            "failure": story.failure,
            "steps": story.steps,
            "feedback": story.feedback,
            "returns": list(story.returns),
            "metrics": story.metrics,
            "calls": dict(sorted(line.calls.items())),
            "faults": dict(sorted(line.faults.items())),
            "usage": asdict(line.usage),
        }
