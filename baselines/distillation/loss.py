"""The loss of students (Zhang et al., STEER's slides on decentralised execution).

    L = sqrt(1/n sum_i (log pi_student(a^i | o^i) - log pi_teacher(a^i | s))^2) - eta S(pi_student)

The papers do not say whose actions they are. Here they are the teacher's own, drawn from it rank by rank at
the state at hand, so that a student learns most about what the teacher does most.
"""

from __future__ import annotations

import torch
from torch import Tensor


def distillation_loss(
    log_probs: Tensor, teacher_log_probs: Tensor, entropies: Tensor, alive: Tensor, entropy_coef: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """The mean over samples of each run's losses.

    Agents that are out of the game count neither in the root nor in the entropy.

    Args:
        log_probs: the students', of the teacher's actions, (K, N, n).
        teacher_log_probs: the teacher's, of the same, (K, N, n).
        entropies: the students', (K, N, n).
        alive: agents that decide, bool (K, N, n).
        entropy_coef: eta.

    Returns:
        Losses (K,), and their parts: `distance`, the mean root, and `entropy`, each (K,).
    """
    weight = alive.to(log_probs.dtype)
    deciding = weight.sum(dim=-1)
    gaps = torch.where(alive, log_probs - teacher_log_probs, 0.0)
    # A norm, for its gradient at 0 is 0 and not infinite.
    roots = torch.linalg.vector_norm(gaps, dim=-1) / deciding.clamp(min=1).sqrt()
    distance = roots.sum(dim=1) / (deciding > 0).sum(dim=1).clamp(min=1)
    entropy = torch.where(alive, entropies, 0.0).sum(dim=(1, 2)) / deciding.sum(dim=1).clamp(min=1)
    return distance - entropy_coef * entropy, {"distance": distance, "entropy": entropy}
