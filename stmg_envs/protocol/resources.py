"""What a machine has: devices and memory, asked before anything is made of them."""

from __future__ import annotations

import os

import torch

from stmg_envs.arguments import require_count, shown
from stmg_envs.errors import InvalidArgumentError
from stmg_envs.protocol.spaces import JointSpaces


def missing_device(device: object) -> str | None:
    """Why nothing can be computed on a device, or None if it can."""
    if not isinstance(device, str | torch.device):
        return "it is no name of a device"
    try:
        found = torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        return str(error).splitlines()[0]
    return "it holds no numbers" if found.type == "meta" else None


def check_device(device: object) -> torch.device:
    """A device on which something can be computed.

    Raises:
        InvalidArgumentError: if that is none here.
    """
    reason = missing_device(device)
    if reason is not None or not isinstance(device, str | torch.device):
        raise InvalidArgumentError(
            f"device={shown(device)} cannot be used ({reason}); expected cpu or an available cuda"
        )
    return torch.device(device)


def memory_of(device: torch.device) -> int:
    """Bytes of memory that a device has in all."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def timestep_bytes(game: JointSpaces) -> int:
    """Bytes that one timestep of one environment takes at least: what agents see, may do, did and got."""
    state = 0 if game.state_space is None else game.state_space.shape[0]
    return 4 * (game.n * (game.observation_space.shape[0] + 2) + state) + game.n * game.action_width


def check_batch(game: JointSpaces, num_envs: object, device: torch.device) -> int:
    """The number of environments of a batch, if the machine has room for what they say in one timestep.

    Raises:
        InvalidArgumentError: if that is no number, or there are too many.
    """
    require_count("num_envs", num_envs, 1)
    assert isinstance(num_envs, int)
    require_memory(f"num_envs={num_envs}", num_envs, timestep_bytes(game), device)
    return num_envs


def require_memory(what: str, count: int, each: int, device: torch.device) -> None:
    """Raise InvalidArgumentError if so many things of so many bytes are more than a device has room for."""
    have = memory_of(device)
    if count * each > have:
        raise InvalidArgumentError(
            f"{what} would take {count * each / 2**30:,.0f} GiB at least, and {device} has "
            f"{have / 2**30:,.0f} GiB; expected at most {have // each:,}"
        )
