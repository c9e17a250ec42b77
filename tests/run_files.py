"""What run directories hold, for tests that compare them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any


def without_times(path: Path) -> Any:
    """The content of a results or metrics file but for wall-clock times."""
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return [{k: v for k, v in row.items() if k != "elapsed"} for row in csv.DictReader(file)]
    return json.loads(
        path.read_text(), object_hook=lambda entry: {k: v for k, v in entry.items() if k != "elapsed_time"}
    )
