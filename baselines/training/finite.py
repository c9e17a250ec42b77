"""Numbers that are not finite end a training where they first show, instead of spreading until its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from stmg_envs.errors import NotFiniteError


class FiniteCheck:
    """Raises NotFiniteError for the first of some tensors that holds NaN or an infinite number.

    Args:
        seeds: of the runs, (K,).
        agents: names, (n,).
    """

    def __init__(self, seeds: Sequence[int], agents: Sequence[str]) -> None:
        self.seeds = seeds
        self.agents = agents

    def decisions(self, where: str, alive: Tensor, **quantities: Tensor) -> None:
        """Check quantities of decisions, by name in the order in which each comes from those before it.

        Args:
            where: they were made, for the message: "the rollout after step 1000".
            alive: whose decisions count, bool (K, N, n).
            **quantities: float (K, N, n) or (K, N, n, ...).

        Raises:
            NotFiniteError: naming the run, the agent and the quantity.
        """
        broken = [self._broken(x, alive) for x in quantities.values()]
        # One question for all, because on an accelerator each answer is waited for.
        if not bool(torch.stack([table.any() for table in broken]).any()):
            return
        for (name, x), table in zip(quantities.items(), broken, strict=True):
            if bool(table.any()):
                run, row, agent = table.nonzero()[0].tolist()
                what, value = name.replace("_", " "), x[run, row, agent]
                number = float(value[~value.isfinite()].flatten()[0])
                raise NotFiniteError(
                    f"{what} of {self.agents[agent]} in the run of seed {self.seeds[run]} is {number} in "
                    f"{where}; expected finite numbers: look for rewards or observations that grow without "
                    f"limit, or lower learning_rate or max_grad_norm"
                )

    def parameters(self, step: int, parameters: Mapping[str, Tensor], metrics: Mapping[str, Tensor]) -> None:
        """Check what an update has made of policies.

        Args:
            step: environment steps per run so far.
            parameters: by name, each (K, *shape).
            metrics: of the update, each (K,).

        Raises:
            NotFiniteError: naming the run, a parameter, and the metrics that are not finite.
        """
        finite = {name: p.isfinite().flatten(1).all(dim=1) for name, p in parameters.items()}
        if bool(torch.stack(list(finite.values())).all()):
            return
        name, whole = next((name, whole) for name, whole in finite.items() if not bool(whole.all()))
        run = int((~whole).nonzero()[0])
        told = {metric: float(values[run]) for metric, values in metrics.items()}
        signs = ", ".join(f"{metric}={value:.6g}" for metric, value in told.items())
        raise NotFiniteError(
            f"parameter {name!r} of the run of seed {self.seeds[run]} is not finite after the update at step "
            f"{step} ({signs}); expected finite numbers: look for rewards that grow without limit, or lower "
            f"learning_rate or max_grad_norm; the last checkpoint is from before it"
        )

    def _broken(self, x: Tensor, alive: Tensor) -> Tensor:
        """Where a quantity is not finite of somebody whose decision counts, bool (K, N, n)."""
        fine = x.isfinite()
        return ~(fine.flatten(3).all(dim=-1) if x.dim() > 3 else fine) & alive
