"""`stmg llm run`: episodes played by a language model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, get_args

import rich_click as click

from baselines.cli import options
from baselines.cli.llm_table import print_summaries, text_console
from baselines.cli.llm_watch import CountedClient, counting
from baselines.errors import EndpointError
from baselines.llm import method as methods
from baselines.llm.budget import Budget
from baselines.llm.caller import open_client
from baselines.llm.endpoint_settings import OPENAI_URL, EndpointSettings
from baselines.llm.method import Method
from baselines.llm.prices import Ceiling, Prices
from baselines.llm.requests import Reply, Sampling
from baselines.llm.results import write_results
from baselines.llm.run import TRANSCRIPT, begin, count_spent, play, resumed
from baselines.llm.setup import Setup
from baselines.llm.stage import Stage
from baselines.llm.summary import Summary, summarize
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol import Ask

DEFAULTS = Method()


@click.command(name="run")
@click.argument("env_id", type=options.EnvId())
@options.env_arg
@click.option("--model", required=True, help="its name at the endpoint")
@click.option(
    "--base-url", default=OPENAI_URL, show_default=True, help="of the endpoint, without /chat/completions"
)
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="folder of the run"
)
@click.option("--resume", is_flag=True, help="go on with the run in --out; nothing is asked twice")
@click.option(
    "--seeds", type=options.Seeds(), default=10, show_default=True, help="instances: a number or a list"
)
@click.option("--repeats", type=click.IntRange(min=1), default=1, show_default=True, help="of each instance")
@click.option(
    "--method", "name", type=click.Choice(get_args(methods.Name)), default="llamac", show_default=True
)
@click.option(
    "--critics", type=click.Choice(get_args(methods.Critics)), default="separate", show_default=True
)
@click.option("--actors", type=click.Choice(get_args(methods.Actors)), default="confirm", show_default=True)
@click.option(
    "--ask", type=click.Choice(get_args(Ask)), help="whom about a plan; by default what the game says"
)
@click.option("--rounds", type=click.IntRange(min=0), help="of asking; by default what the game says")
@click.option(
    "--repairs",
    type=click.IntRange(min=0),
    default=DEFAULTS.repairs,
    show_default=True,
    help="of an illegal plan",
)
@click.option(
    "--on-exhausted", type=click.Choice(get_args(methods.Exhausted)), default="fail", show_default=True
)
@click.option(
    "--memory-tokens", type=click.IntRange(min=0), default=DEFAULTS.memory_tokens, show_default=True
)
@click.option("--temperature", type=click.FloatRange(min=0), default=0.0, show_default=True)
@click.option(
    "--sampling-seed", type=int, default=0, show_default=True, help="asked of endpoints that take one"
)
@click.option(
    "--reply-tokens", type=click.IntRange(min=1), default=1024, show_default=True, help="of one reply"
)
@click.option("--max-calls", type=int, help="of the run, every attempt counted")
@click.option("--max-tokens", type=int, help="of the run, read and written")
@click.option("--max-usd", type=float, help="of the run; needs prices")
@click.option("--episode-calls", type=int, help="as --max-calls, of each episode")
@click.option("--episode-tokens", type=int, help="as --max-tokens, of each episode")
@click.option("--episode-usd", type=float, help="as --max-usd, of each episode")
@click.option("--usd-prompt", type=float, help="price of a million tokens read, US dollars")
@click.option("--usd-completion", type=float, help="price of a million tokens written")
@click.option("--usd-cached", type=float, help="price of a million tokens read that were read before")
@click.option(
    "--key-env", default="OPENAI_API_KEY", show_default=True, help="environment variable of the key"
)
@click.option("--timeout", type=float, default=120.0, show_default=True, help="seconds of one attempt")
@click.option("--max-concurrency", type=int, default=8, show_default=True, help="calls at once")
@click.option("--requests-per-minute", type=int)
@click.option("--tokens-per-minute", type=int)
def run_command(env_id: str, out: Path, resume: bool, **given: Any) -> None:
    """Have a language model play ENV_ID, any game with discrete actions, and write down all that is said.

    In OUT: transcript.jsonl, from which stmg llm replay plays the run again offline, results.json and
    manifest.json for stmg leaderboard. The key comes from the environment only. At a ceiling the episode
    ends, and the exit status is 1; --resume goes on with the run, also after Ctrl-C, and asks nothing twice.

    Example: stmg llm run stmg/GridTransport-v0 --model gpt-4o-mini --usd-prompt 0.15 --usd-completion 0.6
    --max-usd 1 --out runs/boxes

    Example: stmg llm run stmg/ResourceAllocation-v0 --env-arg n=5 --actors turns --model scripted
    --base-url http://127.0.0.1:8000/v1 --out runs/shares
    """
    settings = EndpointSettings(
        given["base_url"],
        given["key_env"],
        given["timeout"],
        given["max_concurrency"],
        given["requests_per_minute"],
        given["tokens_per_minute"],
    )
    setup = _setup(env_id, settings.host, given)
    budget = _budget(given)
    # What is wrong with the game is said before anything is written or asked.
    Stage(setup.env_id, setup.env_args).close()
    path = out / TRANSCRIPT
    console = text_console()
    going_on = f"go on with the same command and --resume; nothing is asked twice ({path})"
    try:
        summary, complaints = asyncio.run(_run(setup, settings, budget, path, resume))
    except KeyboardInterrupt:
        console.print(f"stopped; {going_on}")
        raise SystemExit(130) from None
    except EndpointError as error:
        raise EndpointError(f"{error} ({going_on})" if path.exists() else str(error)) from None
    write_results(out, path, summary)
    print_summaries(console, [summary])
    for fault, words in complaints.items():
        console.print(f"the endpoint said of {fault.replace('_', ' ')}: {words!r}")
    console.print(f"written to {out}; stmg llm report {out} makes pages of it")
    if summary.missing:
        console.print(f"a ceiling was reached: raise it and {going_on}")
        raise SystemExit(1)


def _setup(env_id: str, host: str, given: dict[str, Any]) -> Setup:
    seeds = given["seeds"]
    names = ("name", "critics", "actors", "ask", "rounds", "repairs", "on_exhausted", "memory_tokens")
    return Setup(
        env_id,
        dict(given["env_args"]),
        tuple(range(seeds)) if isinstance(seeds, int) else seeds,
        given["repeats"],
        Method(**{name: given[name] for name in names}),
        Sampling(given["model"], given["temperature"], given["sampling_seed"], given["reply_tokens"]),
        host,
    )


def _budget(given: dict[str, Any]) -> Budget:
    prices = None
    if given["usd_prompt"] is not None and given["usd_completion"] is not None:
        prices = Prices(given["usd_prompt"], given["usd_completion"], given["usd_cached"])
    elif any(given[name] is not None for name in ("usd_prompt", "usd_completion", "usd_cached")):
        raise InvalidArgumentError(
            "prices are not complete; expected --usd-prompt and --usd-completion, US dollars for a million "
            "tokens"
        )
    run, episode = (
        Ceiling(given[f"{kind}_calls"], given[f"{kind}_tokens"], given[f"{kind}_usd"])
        for kind in ("max", "episode")
    )
    return Budget(run, episode, prices)


async def _run(
    setup: Setup, settings: EndpointSettings, budget: Budget, path: Path, resume: bool
) -> tuple[Summary, dict[str, str]]:
    """Play what is missing, and show how far it is; what it came to, and what the endpoint complained of."""
    calls = 0
    # Whether anybody can be asked is known before anything is written.
    async with open_client(settings, budget) as caller:
        transcript = begin(setup, path, resume)
        records = list(transcript.records.values())
        count_spent(budget, records)
        with transcript, counting("episodes", setup.episodes) as advance:

            def count(reply: Reply) -> None:
                nonlocal calls
                calls += 1
                spent = budget.spent()
                cost = f", {spent.usd:.4f} USD" if spent.money else ""
                advance(0, text=f"{calls:,} calls, {spent.tokens:,} tokens{cost}")

            client = CountedClient(resumed(caller, records), count)
            await play(setup, client, transcript, watch=lambda _: advance())
    return summarize(transcript.records.values()), caller.complaints
