"""Lines are added to whole lines."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from baselines.storage import AppendLog


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        (b"", b""),
        (b"one\n", b"one\n"),
        (b"one\ntw", b"one\n"),
        (b"on", b""),
        (b"one\n" + b"\0" * 200_000, b"one\n"),
        (b"one\n" + b"x" * 2**16, b"one\n"),
        (b"\n" + b"x" * (2**16 - 1), b"\n"),
    ],
)
def test_a_torn_line_is_taken_off(tmp_path: Path, found: bytes, kept: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(found)
    with AppendLog(path) as log:
        assert log.empty == (not kept)
        log.append("gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n\n\ud800\n")
        log.sync()
        # Whoever reads meanwhile finds them.
        assert path.read_bytes() == kept + "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n\n\\ud800\n".encode()


SCRIPT = """
import resource, signal, sys
from pathlib import Path
from baselines.storage import AppendLog
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
with AppendLog(Path(sys.argv[1])) as log:
    log.append("whole\\n")
    try:
        log.append("too long for what is left\\n")
    except OSError as error:
        print(error.errno, error.filename)
"""


def test_of_a_line_that_does_not_fit_nothing_stays(tmp_path: Path) -> None:
    path = tmp_path / "log"
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.split() == [str(errno.EFBIG), str(path)]
    assert path.read_bytes() == b"whole\n" and os.listdir(tmp_path) == ["log"]
