"""Figures: reproducible bytes, colours and sizes left to the page, nobody's settings touched or used."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import matplotlib
import numpy as np
from pages import Page

from baselines.evaluation.figures import COLORS, draw_curve
from baselines.evaluation.learning_curves import Curve
from baselines.evaluation.statistics import mean_interval

VALUES = np.random.default_rng(0).normal(size=(5, 8)).cumsum(axis=1)
CURVE = Curve("loss", "mean", np.arange(0.0, 8000.0, 1000.0), mean_interval(VALUES))


def test_same_bytes_whatever_the_settings() -> None:
    first = draw_curve(CURVE, "a")
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "svg.fonttype": "path"}):
        assert draw_curve(CURVE, "a") == first
        assert matplotlib.rcParams["font.size"] == 30


def test_element_fits_a_page() -> None:
    svg = draw_curve(CURVE, "loss-0", reference=1.0)
    page = Page(svg)
    tag, attributes = page.tags[0]
    assert tag == "svg" and attributes["role"] == "img" and attributes["aria-label"] == "Learning curve: loss"
    assert "viewbox" in attributes and not {"width", "height"} & set(attributes)
    assert not any(color in svg for color in COLORS)
    assert "var(--line)" in svg and "var(--muted)" in svg
    assert page.count("style") == page.count("metadata") == 0
    assert "environment steps per run" in page.text("svg") and "4k" in page.text("svg")


def test_identifiers_are_of_this_figure() -> None:
    svg = draw_curve(CURVE, "this")
    identifiers = re.findall(r'\bid="([^"]*)"', svg)
    assert identifiers and len(set(identifiers)) == len(identifiers)
    assert all(identifier.startswith("this-") for identifier in identifiers)
    targets = re.findall(r'(?:href="#|url\(#)([^")]*)', svg)
    assert targets and set(targets) <= set(identifiers)


def test_names_are_escaped() -> None:
    svg = draw_curve(replace(CURVE, name='"><script>$x$</script>'), "a")
    assert "<script" not in svg
    assert Page(svg).tags[0][1]["aria-label"] == 'Learning curve: "><script>$x$</script>'


def test_odd_curves_can_be_drawn() -> None:
    for values in (VALUES[:1], VALUES[:, :1], VALUES[:1, :1], np.zeros((3, 8)), np.full((3, 8), 1e9)):
        steps = CURVE.steps[: values.shape[1]]
        assert draw_curve(Curve("x", "mean", steps, mean_interval(values)), "a").startswith("<svg")
    broken = np.where(np.arange(8) % 3, VALUES, np.nan)
    assert "nan" not in draw_curve(replace(CURVE, interval=mean_interval(broken)), "a").lower()


def test_rates_are_shown_in_percent() -> None:
    interval = mean_interval(np.clip(np.abs(VALUES), 0, 1))
    assert "100 %" in Page(draw_curve(replace(CURVE, kind="rate", interval=interval), "a")).text("svg")


def test_pyplot_is_left_alone() -> None:
    code = "import sys, baselines.evaluation.report; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
