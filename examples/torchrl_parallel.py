"""TorchRL's PPO loss on the parallel view: all agents decide at once, each with its own network.

    python examples/torchrl_parallel.py --iterations 30

TorchRL groups agents by the name before their number: `agent_0` and `agent_1` are the group `agent`, whose
tensors have an axis of agents. Masks of legal actions arrive as `("agent", "action_mask")`.
"""

from __future__ import annotations

import argparse

import torch
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl.envs import ExplorationType, PettingZooWrapper, set_exploration_type
from torchrl.modules import MaskedCategorical, MultiAgentMLP, ProbabilisticActor
from torchrl.objectives import ClipPPOLoss, ValueEstimators

import stmg_envs


def network(outputs: int) -> nn.Module:
    """One small network for each of the two agents."""
    return MultiAgentMLP(
        1, outputs, 2, centralized=False, share_params=False, depth=1, num_cells=32, activation_class=nn.Tanh
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--iterations", type=int, default=30, help="rollouts of 128 timesteps")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    env = PettingZooWrapper(
        stmg_envs.parallel_env("stmg/Penalty-v0", k=0), categorical_actions=True, seed=args.seed
    )
    actor = ProbabilisticActor(
        TensorDictModule(network(3), [("agent", "observation")], [("agent", "logits")]),
        in_keys={"logits": ("agent", "logits"), "mask": ("agent", "action_mask")},
        out_keys=[env.action_key],
        distribution_class=MaskedCategorical,
        return_log_prob=True,
        log_prob_key=("agent", "sample_log_prob"),
    )
    critic = TensorDictModule(network(1), [("agent", "observation")], [("agent", "state_value")])
    loss = ClipPPOLoss(actor, critic, entropy_coeff=0.01)
    loss.set_keys(
        reward=env.reward_key,
        action=env.action_key,
        sample_log_prob=("agent", "sample_log_prob"),
        value=("agent", "state_value"),
        done=("agent", "done"),
        terminated=("agent", "terminated"),
    )
    loss.make_value_estimator(ValueEstimators.GAE, gamma=1.0, lmbda=0.95)
    optimizer = torch.optim.Adam(loss.parameters(), 3e-3)
    for _ in range(args.iterations):
        # TorchRL's rollouts are greedy unless they are told to explore.
        with torch.no_grad(), set_exploration_type(ExplorationType.RANDOM):
            data = env.rollout(128, actor, break_when_any_done=False)
            loss.value_estimator(data)
        for _ in range(8):
            terms = loss(data)
            total = terms["loss_objective"] + terms["loss_critic"] + terms["loss_entropy"]
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
    with torch.no_grad(), set_exploration_type(ExplorationType.DETERMINISTIC):
        played = env.rollout(16, actor, break_when_any_done=False)
    print(f"return: {played['next', 'agent', 'reward'].mean():.2f}")


if __name__ == "__main__":
    main()
