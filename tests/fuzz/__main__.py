"""`make fuzz`: many cases of every kind, or one again."""

from __future__ import annotations

import argparse
import sys
import time

import torch

from fuzz.table import KINDS, attempts, counts


def main() -> int:
    """Print a line for every kind, and every fault; 1 if there is any."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--kind", action="append", choices=KINDS, help="only these kinds")
    parser.add_argument("--seed", type=int, default=0, help="of the changes [default: 0]")
    parser.add_argument("--cases", type=int, default=400, help="of each kind [default: 400]")
    parser.add_argument("--number", type=int, help="only the case of this number")
    parser.add_argument("--verbose", action="store_true", help="show what was fine as well")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    numbers = range(chosen.cases) if chosen.number is None else [chosen.number]
    faults, total = 0, 0
    for kind in chosen.kind or KINDS:
        started = time.perf_counter()
        tried = []
        for one in attempts(kind, chosen.seed, numbers):
            tried.append(one)
            if not one.verdict.fine or chosen.verbose or chosen.number is not None:
                print(one, flush=True)
        seconds = time.perf_counter() - started
        wrong = sum(not one.verdict.fine for one in tried)
        faults, total = faults + wrong, total + len(tried)
        print(f"{kind}: {len(tried)} cases, {dict(counts(tried))}, {seconds:.1f} s", flush=True)
    print(f"{total} cases, {faults} faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
