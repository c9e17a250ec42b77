"""Somebody else's policy: what it has to be, and its evaluation in a process of its own."""

from baselines.policies.evaluation import Evaluation, Task, evaluate_policies
from baselines.policies.failure import Status
from baselines.policies.files import EvaluationFiles
from baselines.policies.limits import Limits, Verdict
from baselines.policies.policy import Action, BatchPolicy, Policy, TurnObservation
from baselines.policies.salt import Salt
from baselines.policies.tally import Tally

__all__ = [
    "Action",
    "BatchPolicy",
    "Evaluation",
    "EvaluationFiles",
    "Limits",
    "Policy",
    "Salt",
    "Status",
    "Tally",
    "Task",
    "TurnObservation",
    "Verdict",
    "evaluate_policies",
]
