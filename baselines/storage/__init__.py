"""Files: written so that a crash leaves the old or the new one, never half of either."""

from baselines.storage.writing import write_bytes, write_json, write_text

__all__ = ["write_bytes", "write_json", "write_text"]
