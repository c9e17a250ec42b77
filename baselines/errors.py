"""The typed errors of the learners."""

from __future__ import annotations

from stmg_envs.errors import STMGError


class ConfigError(STMGError, ValueError):
    """A configuration field is unknown or has an illegal value."""


class PairingError(STMGError, ValueError):
    """An algorithm and a game that do not go together."""


class RunDirectoryError(STMGError, FileExistsError):
    """A run directory exists already, or is not the one asked for."""


class CheckpointError(STMGError):
    """A checkpoint is missing, truncated, or of another run."""


class ResultsError(STMGError, ValueError):
    """A results file does not have the layout of results files, or its runs do not fit together."""


class PolicyError(STMGError, ValueError):
    """Somebody's policy does not exist, or is no policy."""


class UntrustedError(STMGError):
    """A stored file names code that would run, and nobody has said that it may."""


class EndpointError(STMGError):
    """A language model cannot be asked: its endpoint, its name, the key or the price is wrong."""


class TranscriptError(STMGError, ValueError):
    """A transcript of conversations is none, or does not tell what was asked."""


class TrainingProcessError(STMGError):
    """A process that trained some of a run's seeds has ended by itself."""
