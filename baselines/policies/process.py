"""A policy in a process of its own, as the evaluating process sees it.

Whatever is wrong with what it sends, its failure is the only error that comes of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.errors import PolicyError
from baselines.policies.failure import PolicyFailureError, known_status
from baselines.policies.guard import remove
from baselines.policies.host import LARGEST_ACTION, decode, encode
from baselines.policies.limits import Limits, Verdict
from stmg_envs.errors import suggestion
from stmg_envs.pool import ending

NO_ANSWER = "its process sent something that is no answer"
HERE = Path(__file__).parent
LARGEST_ANSWER = 2 * LARGEST_ACTION
"""Bytes of an answer; actions are a third longer as text than as numbers."""
FILE_SIZE = 2**30
"""Bytes that one file of a policy may have, in namespaces all its files together."""
ENDING_SECONDS = 2.0
"""For a process to end by itself once it has closed its connection."""
PATIENCE = 30.0
"""Seconds for the guard to end everything."""


class PolicyProcess:
    """Starts `host.py` with one policy, under the eyes of `guard.py`, in the bounds of `confine.py`.

    What the process sends is read as JSON and numbers, never unpickled. Use it as a context, at whose end
    nothing is left of the policy.

    Args:
        policy: "package.module:Class", found from the present folder or where Python finds modules.
        limits: what it may use.
        program: what answers: `host.py`, or `look.py`, which runs nothing of the policy.

    Attributes:
        batch: whether the policy decides for many episodes at once.
        seconds: what its calls have taken together.
        verdict: what became of its processes; None while there are any.
    """

    def __init__(self, policy: str, limits: Limits, program: str = "host.py") -> None:
        self.policy, self.limits = policy, limits
        self.batch = False
        self.seconds = 0.0
        self.verdict: Verdict | None = None
        self._buffer = bytearray()
        self._connection, theirs = socket.socketpair()
        self._folder = folder = tempfile.mkdtemp(prefix="stmg-policy-")
        settings = {
            "folder": folder,
            "connection": theirs.fileno(),
            "memory": int(limits.memory_gib * 2**30),
            "processes": limits.processes,
            "file_size": FILE_SIZE,
        }
        python, text = [sys.executable, "-P"], json.dumps(settings)
        host = [*python, str(HERE / program), str(theirs.fileno()), os.getcwd()]
        # Isolated: what the policy's user has set for Python is not for these two.
        confine = [sys.executable, "-I", "-S", str(HERE / "confine.py"), text, *host]
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(HERE / "guard.py"), text, *confine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={**os.environ, "TMPDIR": folder, "PYTHONDONTWRITEBYTECODE": "1"},
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()

    def __enter__(self) -> PolicyProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def look(self) -> None:
        """Look for the policy's class without running anything of it.

        Raises:
            PolicyError: if there is surely no such module or class, or it has no method to decide.
            PolicyFailureError: if looking fails.
        """
        found = self._ask(self.limits.start_seconds, policy=self.policy)
        if "missing" in found:
            known = found.get("known")
            hint = f"; {suggestion(self.policy.partition(':')[2], known)}" if known else ""
            raise PolicyError(
                f"policy={self.policy!r} cannot be used: {found['missing']}{hint}; a policy is "
                f"package.module:Class, importable from here, with a method act(observation)"
            )

    def load(self) -> None:
        """Import the policy's class.

        Raises:
            PolicyFailureError: if that fails, or there is none.
        """
        batch = self._ask(self.limits.start_seconds, ask="load", policy=self.policy).get("batch")
        if not isinstance(batch, bool):
            raise PolicyFailureError("crashed", NO_ANSWER)
        self.batch = batch

    def make(self, arguments: Mapping[str, Any]) -> None:
        """Make the policy.

        Raises:
            PolicyFailureError: if that fails.
        """
        self._ask(self.limits.start_seconds, ask="make", arguments=dict(arguments))

    def reset(self, seed: int) -> None:
        """Tell the policy that episodes begin.

        Raises:
            PolicyFailureError: if it fails.
        """
        self._ask(self.limits.decision_seconds, ask="reset", seed=seed)

    def act(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Actions for a batch of turns; one by one unless the policy takes batches.

        Args:
            observation: a turn observation with a leading axis E, 1 unless the policy takes batches.

        Returns:
            What the policy returned, with a leading axis of its own or E; it is not checked.

        Raises:
            PolicyFailureError: if it fails.
        """
        method = "act_batch" if self.batch else "act"
        view = {name: encode(np.asarray(x if self.batch else x[0])) for name, x in observation.items()}
        answer = self._ask(self.limits.decision_seconds, ask="act", method=method, observation=view)
        try:
            action = decode(answer["action"])
        except Exception:
            raise PolicyFailureError("invalid action", "its process did not send numbers") from None
        return action if self.batch else action[None]

    def close(self) -> Verdict:
        """End the policy with everything it has started; what became of it."""
        if self.verdict is None:
            self._connection.close()
            try:
                text, _ = self._guard.communicate(timeout=PATIENCE)
                self.verdict = Verdict(**json.loads(text))
            except (subprocess.TimeoutExpired, TypeError, ValueError):
                self._guard.kill()
                self._guard.communicate()
                remove(self._folder)
                self.verdict = Verdict()
        return self.verdict

    def _ask(self, seconds: float, **request: Any) -> dict[str, Any]:
        """Send a request and wait for the answer.

        Raises:
            PolicyFailureError: if there is none, or it tells of a failure.
        """
        left = min(seconds, self.limits.total_seconds - self.seconds)
        started = time.monotonic()
        try:
            line = self._exchange(json.dumps(request).encode() + b"\n", started + left)
        except TimeoutError:
            own = f"no answer to {_name(request)} in {seconds:g} s"
            total = f"all its calls together took {self.limits.total_seconds:g} s"
            raise PolicyFailureError("timed out", own if left == seconds else total) from None
        except OSError:
            raise self._gone() from None
        finally:
            self.seconds += time.monotonic() - started
        try:
            answer = json.loads(line)
            failed = answer.get("failed")
            detail = _one_line(answer.get("detail"))
        except Exception:
            raise PolicyFailureError("crashed", NO_ANSWER) from None
        if failed is not None:
            raise PolicyFailureError(known_status(failed), detail)
        return dict(answer)

    def _exchange(self, request: bytes, deadline: float) -> bytes:
        self._wait_until(deadline)
        self._connection.sendall(request)
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LARGEST_ANSWER:
                raise PolicyFailureError("crashed", f"its process sent more than {LARGEST_ANSWER} bytes")
            self._wait_until(deadline)
            part = self._connection.recv(2**16)
            if not part:
                raise ConnectionError
            self._buffer += part
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _wait_until(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)

    def _gone(self) -> PolicyFailureError:
        # The connection closes a little before the process is gone and its exit code known.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._guard.wait(ENDING_SECONDS)
        verdict = self.close()
        if verdict.passed is None:
            return PolicyFailureError("ended", f"its process {ending(verdict.exitcode)}")
        limit = {
            "out of memory": f"more than {self.limits.memory_gib:g} GiB",
            "too many processes": f"more than {self.limits.processes}",
        }
        return PolicyFailureError(known_status(verdict.passed), limit.get(verdict.passed, verdict.passed))


def _name(request: Mapping[str, Any]) -> str:
    names = {"load": "the import", "make": "its construction", "reset": "reset", "act": request.get("method")}
    return str(names.get(request.get("ask", ""), "the search for its class"))


def _one_line(text: object) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())[:400]
