"""Files: written so that a crash leaves the old or the new one whole, and read as what others made."""

from baselines.storage.reading import read_bytes, read_json, require_plain
from baselines.storage.writing import write_bytes, write_json, write_text

__all__ = ["read_bytes", "read_json", "require_plain", "write_bytes", "write_json", "write_text"]
