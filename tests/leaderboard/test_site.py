"""The site: pages that stand alone, say what they must, escape names, and are the same for the same files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from made import made_runs, write_results
from pages import Page

from baselines.leaderboard.site import write_site
from stmg_envs.errors import InvalidArgumentError

ATTACK = "\"><script>alert('1')</script>&amp;{{ 7 * 7 }}"


def page(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    returns = {"prisonersdilemma": 10.0, "maintain": 17.5, "meeting": 20 / 3}
    tasks = {
        name: {"best": made_runs([value] * 12, optimal=1.0), "short": made_runs([value - 1] * 3, optimal=0.0)}
        for name, value in returns.items()
    }
    tasks["duel"] = {"best": made_runs([1.0, 2.0])}
    write_results(tmp_path / "results", tasks)
    return tmp_path / "results"


def test_index(results: Path, tmp_path: Path) -> None:
    site = write_site([results], tmp_path / "site")
    assert (site.entries, len(site.pages)) == (7, 4)
    index = page(site.index)
    assert "2 algorithms on 4 tasks, 47 runs from 1 source." in index.text("header")
    table = index.each("dilemmas")
    assert table[table.index("best") :][:9] == [
        *("best", "results", "1.000", "1.000 to 1.000", "1.000", "1.000 to 1.000"),
        *("1.000", "1.000 to 1.000", "0.000"),
    ]
    assert "3 runs only" in index.text("dilemmas") and "12 runs only" not in index.text()
    assert "shown but not aggregated: duel" in index.text("results")
    assert "version 1" in index.text("header") and "320" in index.text("protocol")
    links = {
        link.partition("#")[0]
        for link in index.attributes("href")
        if not link.startswith(("#", "data:", "data/"))
    }
    assert links == {path.name for path in site.pages}


def test_task_page(results: Path, tmp_path: Path) -> None:
    site = write_site([results], tmp_path / "site")
    maintain = page(tmp_path / "site" / "maintain.html")
    assert "Score 0 is a return of 5.278, score 1 of 17.5 (bounds version 1)." in maintain.text("header")
    assert maintain.text("h1") == "maintain" and maintain.text("title").startswith("maintain")
    cells = maintain.each("results")
    assert cells[cells.index("best") :][:4] == ["best", "results", "17.5", "17.5 to 17.5"]
    assert "Return of the greedy policies" in maintain.each("curves")
    assert "Nothing is recorded of how these runs were made" in maintain.text("runs")
    assert "no score bounds for this task" in page(tmp_path / "site" / "duel.html").text("header")
    assert site.index.parent == tmp_path / "site"


def test_pages_stand_alone(results: Path, tmp_path: Path) -> None:
    (results / "maintain-best.png").write_bytes(b"picture")
    site = write_site([results], tmp_path / "site")
    for path in (site.index, *site.pages):
        read = page(path)
        for name in ("src", "href"):
            for value in read.attributes(name):
                target = value.partition("#")[0]
                assert value == "data:," or not target or (path.parent / target).is_file(), value
        style = read.text("style") + read.text("script")
        assert (
            "http" not in style and "url(" not in style and "@import" not in style and "import(" not in style
        )
        assert not any(key.startswith("on") for _, attributes in read.tags for key in attributes)
        identifiers = list(read.attributes("id"))
        assert len(set(identifiers)) == len(identifiers)
    images = list(page(tmp_path / "site" / "maintain.html").attributes("src"))
    assert images == ["media/results/maintain-best.png"]
    assert list(page(tmp_path / "site" / "meeting.html").attributes("src")) == []


def test_same_bytes_for_the_same_files(results: Path, tmp_path: Path) -> None:
    def content() -> dict[str, bytes]:
        site = write_site([results], tmp_path / "site")
        return {path.name: path.read_bytes() for path in (site.index, *site.pages)}

    first = content()
    assert content() == first
    assert not any(str(tmp_path).encode() in written for written in first.values())


def test_names_are_escaped(tmp_path: Path) -> None:
    runs = {f"seed {ATTACK}": made_runs([1.0])["seed_0"]}
    write_results(tmp_path / "results", {ATTACK: {ATTACK: runs}, "mixing": {ATTACK: made_runs([1.0])}})
    site = write_site([tmp_path / "results"], tmp_path / "site")
    for path in (site.index, *site.pages):
        read = page(path)
        assert read.count("script") == 1
        assert ATTACK in read.text()
        assert "49" not in read.text("h1")


def test_a_site_that_cannot_be_written(results: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidArgumentError, match="cannot be written"):
        write_site([results], tmp_path / "file" / "site")


def test_files_have_names_that_file_systems_take_and_tell_apart(tmp_path: Path) -> None:
    tasks = [f"matrixgame(payoffs={'[1,2]' * 100}{end})" for end in ("a", "b")]
    for folder in ("Mine", "mine", "m" * 250):
        write_results(tmp_path / folder, {name: {"best": made_runs([1.0])} for name in tasks})
        (tmp_path / folder / "film.gif").write_bytes(folder.encode())
    site = write_site([tmp_path], tmp_path / "site")
    assert len({path.name for path in site.pages}) == 2
    assert all(path.is_file() and len(path.name) <= 240 for path in site.pages)
    folders = {path.name: (path / "film.gif").read_bytes() for path in (tmp_path / "site/media").iterdir()}
    assert {name: folders[name] for name in ("mine", "mine-2")} == {"mine": b"Mine", "mine-2": b"mine"}
    assert len(folders) == 3 and max(map(len, folders)) == 200


def test_every_table_is_a_file_too(results: Path, tmp_path: Path) -> None:
    data = write_site([results], tmp_path / "site").index.parent / "data"
    rows = json.loads((data / "results.json").read_text())
    assert len(rows) == 7
    (best,) = (row for row in rows if (row["task"], row["algorithm"]) == ("maintain", "best"))
    known = {"source": "results", "kind": "algorithm", "runs": 12, "episodes": 2, "return": 17.5}
    assert known.items() <= best.items()
    assert (best["score_iqm"], best["score_optimality_gap"], best["optimal"]) == (1.0, 0.0, 1.0)
    (duel,) = (row for row in rows if row["task"] == "duel")
    assert (duel["return"], duel["score_iqm"], duel["optimal"]) == (1.5, None, None)
    with (data / "results.csv").open(newline="") as file:
        again = list(csv.DictReader(file))
    assert again == [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in rows]
    suite = json.loads((data / "suites/dilemmas/results.json").read_text())
    assert (suite[0]["algorithm"], suite[0]["runs"], suite[0]["iqm"]) == ("best", 12, 1.0)
    compared = json.loads((data / "suites/dilemmas/improvement.json").read_text())
    assert [(row["algorithm"], row["than_algorithm"], row["probability"]) for row in compared] == [
        ("best", "short", 1.0),
        ("short", "best", 0.0),
    ]
    runs = json.loads((data / "tasks/duel/runs.json").read_text())
    assert [(row["run"], row["return"], row["score"]) for row in runs] == [
        ("seed_0", 1.0, None),
        ("seed_1", 2.0, None),
    ]


def test_zoo_and_variants_stand_apart(tmp_path: Path) -> None:
    recipe = {"algorithm": "steer", "env_id": "stmg/Mixing-v0", "config": {}}
    names = ("steer", "steer-dri", "steer_itb", "steer: slower", "steer 1>0", "theirs")
    write_results(tmp_path / "study", {"mixing": {name: made_runs([1.0, 2.0]) for name in names}})
    own = {name: recipe | {"algorithm": "theirs.py:Policy"} if name == "theirs" else recipe for name in names}
    manifest = {f"mixing / {name}": {"recipe": own[name], "blocks": []} for name in names}
    (tmp_path / "study" / "manifest.json").write_text(json.dumps(manifest))
    write_results(tmp_path / "steer-mixing", {"mixing": {"steer": made_runs([2.0])}})
    run = recipe | {"seeds": [0], "published": {"chosen_by": "optimal"}}
    (tmp_path / "steer-mixing" / "run.json").write_text(json.dumps(run))
    site = write_site([tmp_path], tmp_path / "site")
    kinds = {
        (row["source"], row["algorithm"]): row["kind"]
        for row in json.loads((tmp_path / "site/data/results.json").read_text())
    }
    assert kinds == {
        ("study", "steer"): "algorithm",
        ("study", "steer-dri"): "algorithm",
        ("study", "theirs"): "algorithm",
        ("study", "steer_itb"): "variant",
        ("study", "steer: slower"): "variant",
        ("study", "steer 1>0"): "variant",
        ("steer-mixing", "steer"): "zoo",
    }
    # Every row, entry and key says what the filter asks; lines of algorithms alone are drawn at first.
    for path in (site.index, *site.pages):
        marked = [
            dict(attributes) for _, attributes in page(path).tags if "data-algorithm" in dict(attributes)
        ]
        assert marked
        for attributes in marked:
            (kind,) = {kind for (s, a), kind in kinds.items() if attributes["data-algorithm"] == f"{a} {s}"}
            assert attributes["data-kind"] == kind
            if "aria-pressed" in attributes:
                assert attributes["aria-pressed"] == ("true" if kind == "algorithm" else "false")
