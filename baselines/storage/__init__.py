"""Files and folders: a crash leaves the old or the new one whole; what others made is read with care."""

from baselines.storage.folders import new_folder, whole_folder
from baselines.storage.log import AppendLog
from baselines.storage.reading import read_bytes, read_json, require_plain
from baselines.storage.writing import write_bytes, write_json, write_text

__all__ = [
    "AppendLog",
    "new_folder",
    "read_bytes",
    "read_json",
    "require_plain",
    "whole_folder",
    "write_bytes",
    "write_json",
    "write_text",
]
