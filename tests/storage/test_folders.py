"""A folder is the old one or the new one as a whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from baselines.storage import new_folder, whole_folder, write_text

Kind = Callable[[Path], AbstractContextManager[Path]]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def fill(kind: Kind, path: Path, then: Callable[[], object]) -> None:
    """Write one file, and have something happen before the folder is left."""
    with kind(path) as folder:
        write_text(folder / "page", "new")
        then()


def fail() -> None:
    raise KeyError("in the middle")


def test_a_new_folder_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "above" / "a"
    with new_folder(path) as folder:
        write_text(folder / "file", "new")
        assert not path.exists()
    assert (path / "file").read_text() == "new" and names(tmp_path / "above") == {"a"}


def test_a_folder_that_is_there_is_no_new_one(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        fill(new_folder, tmp_path, fail)
    # Somebody else makes one meanwhile.
    with pytest.raises(OSError, match="not empty"):
        fill(new_folder, tmp_path / "a", lambda: shutil.copytree(tmp_path / ".a.partial", tmp_path / "a"))
    assert names(tmp_path) == {"a"}


@pytest.mark.parametrize("kind", [new_folder, whole_folder])
def test_what_fails_leaves_nothing(tmp_path: Path, kind: Kind) -> None:
    with pytest.raises(KeyError):
        fill(kind, tmp_path / "a", fail)
    assert not names(tmp_path)


def test_a_folder_is_replaced_and_other_files_stay(tmp_path: Path) -> None:
    path = tmp_path / "a"
    (path / "inside").mkdir(parents=True)
    for name in ("page", "other", "inside/page", "inside/other"):
        write_text(path / name, "old")
    with whole_folder(path) as folder:
        write_text(folder / "page", "new")
        write_text(folder / "inside" / "page", "new")
        assert {(path / name).read_text() for name in ("page", "other", "inside/page")} == {"old"}
    assert {name: (path / name).read_text() for name in ("page", "other", "inside/page", "inside/other")} == {
        "page": "new",
        "other": "old",
        "inside/page": "new",
        "inside/other": "old",
    }
    assert names(tmp_path) == {"a"}


def test_a_failure_keeps_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.mkdir()
    write_text(path / "page", "old")
    with pytest.raises(KeyError):
        fill(whole_folder, path, fail)
    assert (path / "page").read_text() == "old" and names(tmp_path) == {"a"}


def test_what_a_crash_left_is_put_back_first(tmp_path: Path) -> None:
    # Between the two renames of the last writer.
    for name in (".a.replaced", ".a.partial"):
        (tmp_path / name).mkdir()
        write_text(tmp_path / name / "other", name)
    with whole_folder(tmp_path / "a") as folder:
        write_text(folder / "page", "new")
    assert (tmp_path / "a" / "other").read_text() == ".a.replaced" and names(tmp_path) == {"a"}
    # After them: the old one is of no use any more.
    (tmp_path / ".a.replaced").mkdir()
    with whole_folder(tmp_path / "a") as folder:
        write_text(folder / "page", "newer")
    assert (tmp_path / "a" / "page").read_text() == "newer" and names(tmp_path) == {"a"}
