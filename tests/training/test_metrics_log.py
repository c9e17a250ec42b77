"""`metrics.csv` when a training goes on: whole rows stay, and nothing that a crash left stops it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from baselines.errors import RunDirectoryError
from baselines.training.metrics import MetricsLog

HEADER = "step,elapsed,seed,loss"
WHOLE = [HEADER, "8,1.000,0,0.5", "16,2.000,0,nan"]


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ("\n".join([*WHOLE, "24,3.000,0,0.25", ""]), WHOLE),
        ("\n".join([HEADER, WHOLE[1], "", WHOLE[2], ""]), WHOLE),
        ("\n".join([*WHOLE, "1"]), WHOLE),
        ("\n".join([*WHOLE, "1", ""]), WHOLE),
        ("\n".join([*WHOLE, "16,2.000,0,", ""]), WHOLE),
        ("\n".join([*WHOLE, "\0" * 200_000, ""]), WHOLE),
        ("\ufeff" + "\r\n".join([*WHOLE, ""]), WHOLE),
        (HEADER + "\n", [HEADER]),
        (HEADER, []),
        ("", []),
    ],
    ids=[
        "later step",
        "empty line",
        "half a row",
        "half a row ended",
        "no number",
        "zeros",
        "of a spreadsheet",
        "header",
        "half a header",
        "empty",
    ],
)
def test_whole_rows_up_to_the_step_are_kept(found: str, kept: list[str], tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(found.encode())
    log = MetricsLog(tmp_path, (0,), keep_until=16)
    assert path.read_text().splitlines() == kept
    log.write(24, 3.5, {"loss": torch.tensor([0.125])})
    log.close()
    assert path.read_text().splitlines() == [*(kept or [HEADER]), "24,3.500,0,0.125"]
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.csv"]


def test_rows_in_another_encoding_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_bytes("\n".join([*WHOLE, ""]).encode() + b"\xff\xfe,1,0,2\n")
    MetricsLog(tmp_path, (0,), keep_until=16)
    assert (tmp_path / "metrics.csv").read_text().splitlines() == WHOLE


def test_another_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,loss\n1,0.5\n")
    with pytest.raises(RunDirectoryError, match=r"metrics\.csv begins with 'epoch'.*move it away"):
        MetricsLog(tmp_path, (0,), keep_until=16)
    assert (tmp_path / "metrics.csv").read_text() == "epoch,loss\n1,0.5\n"
