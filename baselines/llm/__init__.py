"""Language models as critics and actors: LLaMAC, and HMAS-2 beside it (extra `llm`)."""

from baselines.llm.method import Method
from baselines.llm.requests import Client, Message, Reply, Request, Sampling, Usage
from baselines.llm.run import begin, play, replay, resumed
from baselines.llm.setup import Setup
from baselines.llm.summary import Summary, summarize

__all__ = [
    "Client",
    "Message",
    "Method",
    "Reply",
    "Request",
    "Sampling",
    "Setup",
    "Summary",
    "Usage",
    "begin",
    "play",
    "replay",
    "resumed",
    "summarize",
]
