"""Pages say what results and manifests hold, and committed pages are what they give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from small_experiment import MIXING, PENALTY, SMALL, Titles, run

from baselines.cli.reproduce import command
from baselines.errors import ResultsError
from baselines.reproduce import words
from baselines.reproduce.archive import Archive
from baselines.reproduce.cell_results import CellResults
from baselines.reproduce.experiment import OPTIMAL, Cell, Experiment
from baselines.reproduce.experiments import EXPERIMENTS
from baselines.reproduce.figure import draw_learning_curves
from baselines.reproduce.notes import NOTES, render_notes
from baselines.reproduce.origin import describe_origin
from baselines.reproduce.page import page_text
from stmg_envs.errors import InvalidArgumentError, UnknownNameError

RESULTS = Path(__file__).parents[2] / "docs" / "results"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_committed_pages_are_what_their_results_give(name: str) -> None:
    """If not: stmg reproduce NAME --page."""
    page = page_text(EXPERIMENTS[name](), Archive(RESULTS / name))
    assert (RESULTS / name / "README.md").read_text(encoding="utf-8") == page


def evaluation(step: int, returned: float, optimal: float) -> dict[str, Any]:
    return {"step_count": step, "elapsed_time": 1.0, "return": [returned], "optimal": [optimal]}


def absolute(returned: float, optimal: float) -> dict[str, Any]:
    return {"elapsed_time": 1.0, "return": [returned, returned], "optimal": [optimal, optimal]}


BLOCK = {
    "seeds": [0, 1],
    "seconds": 7.5,
    "commit": "0123456789abcdef",
    "versions": {"torch": "2.13"},
    "device": "cpu",
    "threads": 1,
    "preloaded": [],
    "processor": "Z80",
}


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Two runs of a cell: one at the optimum of 10 after 200 steps, one never."""
    good = {"step_0": evaluation(0, 2.0, 0.0), "step_1": evaluation(200, 10.0, 1.0)}
    bad = {"step_0": evaluation(0, 2.0, 0.0), "step_1": evaluation(200, 5.0, 0.0)}
    runs = {
        "seed_0": good | {"absolute_metrics": absolute(10.0, 1.0)},
        "seed_1": bad | {"absolute_metrics": absolute(5.0, 0.0)},
    }
    recipe = {"algorithm": "steer", "env_id": "stmg/Penalty-v0", "env_args": {"k": 0}, "priority": None}
    recipe["config"] = {"total_steps": 200_000}
    archive = Archive(tmp_path)
    archive.results["stmg"][PENALTY.task] = {"steer": runs}
    archive.manifest[PENALTY.key] = {"recipe": recipe, "blocks": [BLOCK]}
    return archive


def notes(archive: Archive, text: str) -> str:
    (archive.folder / NOTES).write_text(text)
    return render_notes(SMALL, archive)


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("cell.optimal", "1 of 2"),
        ("cell.optima", "1"),
        ("cell.runs", "2"),
        ("cell.seeds", "0-1"),
        ("cell.episodes", "2"),
        ("cell.seconds", "7.5"),
        ("cell.mean()", "7.5"),
        ("cell.final()", "[10.0, 5.0]"),
        ("cell.curve()", "{0: 2.0, 200: 7.5}"),
        ("cell.first(7)", "200"),
        ("cell.env_args.k", "0"),
        ("cell.config.total_steps | thousands", "200,000"),
        ("cell.config.gamma", "0.99"),
        ("means([cell, cell]) | listed", "7.5 and 7.5"),
        ("cell.final() | spread", "5 to 10"),
        ("(cell.optima / cell.runs) | percent", "50"),
        ("labels('penalty(k=0)')", "['steer']"),
        ("labels('mixing')", "[]"),
        ("has('mixing', 'mappo')", "False"),
        ("published['penalty(k=0)'].steer.rate", "100.0"),
        ("results_of('table1').experiment.name", "table1"),
    ],
)
def test_what_notes_can_say(archive: Archive, expression: str, shown: str) -> None:
    setting = "{% set cell = cell('penalty(k=0)', 'steer') %}"
    assert notes(archive, f"{setting}So {{{{ {expression} }}}}.\n") == f"So {shown}."


def test_a_cell_is_ahead_from_where_it_stays_above(archive: Archive) -> None:
    def with_curve(label: str, *means: float) -> CellResults:
        steps = {f"step_{k}": evaluation(100 * k, mean, 0.0) for k, mean in enumerate(means)}
        archive.results["stmg"][PENALTY.task][label] = {"seed_0": steps}
        return CellResults(Cell(PENALTY.task, label, "steer", "", {}, 1), archive)

    one, other = with_curve("one", 1.0, 5.0, 2.0, 6.0, 7.0), with_curve("other", 0.0, 3.0, 2.0, 4.0, 5.0)
    assert one.ahead_of(other) == 300
    with pytest.raises(ResultsError, match="does not end above"):
        other.ahead_of(one)
    with pytest.raises(ResultsError, match="never is 8"):
        one.first(8)


def test_words_that_no_longer_hold_are_noticed(archive: Archive) -> None:
    setting = "{% set cell = cell('penalty(k=0)', 'steer') %}"
    claim = setting + "{% do require(cell.optima == OPTIMA, 'one is there') %}Words."
    assert notes(archive, claim.replace("OPTIMA", "1")) == "Words."
    with pytest.raises(ResultsError, match=r"notes.md claims that one is there, which is not so"):
        notes(archive, claim.replace("OPTIMA", "2"))


def test_notes_of_what_is_not_there(archive: Archive) -> None:
    with pytest.raises(ResultsError, match="speaks of mixing / mappo, which has no results"):
        notes(archive, "{{ cell('mixing', 'mappo').optimal }}")
    with pytest.raises(UnknownNameError, match="cell='mixing / qmix' is not in small"):
        notes(archive, "{{ cell('mixing', 'qmix').optimal }}")


def test_without_notes_there_are_none(archive: Archive) -> None:
    assert render_notes(SMALL, archive) == ""


def test_words() -> None:
    assert words.listed([1]) == "1"
    assert words.listed("abc") == "a, b and c"
    assert words.spread([3.0]) == "3"
    assert words.spread([1100, 9, 20]) == "9 to 1,100"


@pytest.mark.parametrize(("count", "dashed"), [(20, 0), (23, 3)])
def test_lines_of_one_colour_have_other_styles(archive: Archive, count: int, dashed: int) -> None:
    runs = archive.runs(PENALTY)
    cells = [Cell("task", f"label {number}", "steer", "", {}, 2) for number in range(count)]
    archive.results["stmg"]["task"] = {cell.label: runs for cell in cells}
    curves = draw_learning_curves(cells, [OPTIMAL], archive)
    # A line in the panel and one in the legend for each.
    assert curves.count("stroke-dasharray") == 2 * dashed


CELLS = tuple(Cell(task, label, "steer", "", {}, 1) for task in ("x", "y", "z") for label in ("a", "b", "c"))


def test_how_cells_were_made(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.manifest = {cell.key: {"blocks": [dict(BLOCK)]} for cell in CELLS}
    for key in ("x / a", "x / b", "x / c", "y / a", "z / a", "y / c", "z / c"):
        (block,) = archive.manifest[key]["blocks"]
        block["preloaded"] = ["libfast.so"]
    (block,) = archive.manifest["y / b"]["blocks"]
    block |= {"commit": "89abcdef-dirty"}
    del block["processor"], block["preloaded"]
    assert describe_origin(CELLS, archive.blocks).splitlines() == [
        "- Commits: `0123456` (8 cells) and `89abcde` (1 cell).",
        "- Sources: as committed (8 cells); with changes that the commit does not have (b on y).",
        "- Preloaded libraries: `libfast.so` (7 cells); not recorded (b on y); none (b on z).",
        "- Processor: Z80 (8 cells); not recorded (b on y).",
        "- Device and threads: cpu, 1.",
        "- Versions: torch 2.13.",
    ]
    for cell in CELLS[:4] + CELLS[5:7]:
        archive.manifest[cell.key]["blocks"][0] |= {"threads": 2}
    threads = describe_origin(CELLS, archive.blocks).splitlines()[4]
    assert threads == "- Device and threads: cpu, 2 (6 cells); cpu, 1 (b on y and z; c on z)."


def test_cells_are_named_by_task_where_all_of_it_are_meant(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.manifest = {cell.key: {"blocks": [dict(BLOCK)]} for cell in CELLS}
    for cell in (*CELLS[:3], CELLS[4]):
        archive.manifest[cell.key]["blocks"][0] |= {"device": "cuda"}
    assert "cpu, 1 (5 cells); cuda, 1 (all on x; b on y)." in describe_origin(CELLS, archive.blocks)


def test_tasks_without_labels_in_common_have_tables_of_their_own(tmp_path: Path) -> None:
    archive = run(tmp_path, Titles(), runs=1)
    assert SMALL.task_groups == (("penalty(k=0)",), ("mixing",))
    page = page_text(SMALL, archive)
    assert "\n| | penalty(k=0) |\n|---|---|\n| steer |" in page
    assert "\n| | mixing |\n|---|---|\n| mappo |" in page
    both = Cell("mixing", "steer", "steer", MIXING.env_id, {}, 1)
    joined = Experiment("small", "", (*SMALL.cells, both))
    assert joined.task_groups == (("penalty(k=0)", "mixing"),)
    assert "| | penalty(k=0) | mixing |" in page_text(joined, archive)


def test_a_page_is_written_without_training(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EXPERIMENTS, "table1", lambda: SMALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results.json").write_text(json.dumps(archive.results))
    (tmp_path / "manifest.json").write_text(json.dumps(archive.manifest))
    called = CliRunner().invoke(command, ["table1", "--page", "--out", str(tmp_path)])
    assert called.exit_code == 0, called.output
    assert {path.name for path in tmp_path.iterdir()} == {
        "README.md",
        "curves.svg",
        "manifest.json",
        "results.json",
    }
    assert "| steer | 50 [" in (tmp_path / "README.md").read_text()
    empty = CliRunner().invoke(command, ["table1", "--page", "--out", str(tmp_path / "empty")])
    assert isinstance(empty.exception, InvalidArgumentError)
