"""Pictures of a stage: its payoff table with equilibria, optima and the last joint action marked.

Plotting libraries are imported where they are used, so that playing a game needs none of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from io import StringIO
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from stmg_envs.matrix.marks import Cell, Panel, Sheet, lay_out
from stmg_envs.palette import BLUE, GREEN, INK, MUTED, PALE, PURPLE

if TYPE_CHECKING:
    from stmg_envs.matrix.stage_game import StageGame

MARGIN, PADDING, LINE = 24, 10, 22
CELL_HEIGHT, WIDEST_STRETCH, LEAST_WIDTH = 58, 160, 600
LEGEND_COLUMN = 276
"""Lengths in pixels."""

CHOSEN, LEADER, NASH, STAR = "#fdebc1", BLUE, PURPLE, GREEN


def render_ansi(
    game: StageGame, stage: int, chosen: tuple[int, ...] | None, priority: tuple[int, ...] | None = None
) -> str:
    """Draw a stage as plain text, without colour codes.

    Args:
        game: the game.
        stage: index of the stage.
        chosen: the joint action to highlight, if any.
        priority: agent indices, leader first; identity by default.

    Raises:
        InvalidArgumentError: if the game has no such stage.
        InvalidPriorityError: if the priority is no permutation of the agents.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    sheet = lay_out(game, stage, chosen, priority)
    file = StringIO()
    # Wider than any table, so that nothing wraps; and a notebook must not take over the output.
    console = Console(file=file, width=10_000, color_system=None, force_jupyter=False, legacy_windows=False)
    for line in sheet.lines:
        console.print(Text(line))
    for panel in sheet.panels:
        if panel.caption:
            console.print(Text(f"\n{panel.caption}"))
        table = Table(box=box.SQUARE, show_lines=not sheet.listing)
        table.add_column(Text(" \\ ".join(filter(None, (panel.row_title, panel.column_title)))))
        for name in panel.column_names:
            table.add_column(Text(name), justify="center")
        for name, row in zip(panel.row_names, panel.cells, strict=True):
            table.add_row(Text(name), *(Text(_cell_text(cell)) for cell in row))
        console.print(table)
    for mark, meaning in sheet.legend:
        console.print(Text(f"{'[ ]' if mark == 'chosen' else mark:<3}  {meaning}"))
    if sheet.note:
        console.print(Text(sheet.note))
    return file.getvalue()


def _cell_text(cell: Cell) -> str:
    text = f"[{cell.text}]" if cell.chosen else cell.text
    return "\n".join(filter(None, (text, " ".join(cell.tags))))


def render_rgb(
    game: StageGame, stage: int, chosen: tuple[int, ...] | None, priority: tuple[int, ...] | None = None
) -> NDArray[np.uint8]:
    """Draw a stage as a picture; all stages of a game give the same size.

    Args:
        game: the game.
        stage: index of the stage.
        chosen: the joint action to highlight, if any.
        priority: agent indices, leader first; identity by default.

    Returns:
        A new uint8 array (H, W, 3), about 600 x 400 pixels for a 3 x 3 table.

    Raises:
        InvalidArgumentError: if the game has no such stage.
        InvalidPriorityError: if the priority is no permutation of the agents.
    """
    sheet = lay_out(game, stage, chosen, priority)
    panel = sheet.panels[0]
    names = max(_width((panel.row_title,), 13, "bold"), _width(panel.row_names, 13)) + 2 * PADDING
    narrowest = max(_width((sheet.widest,), 16), _width(panel.column_names, 13), 48) + 2 * PADDING
    columns, rows = len(panel.column_names), len(panel.row_names)
    stretched = (LEAST_WIDTH - 2 * MARGIN - names) // columns
    cell_width = max(narrowest, min(stretched, WIDEST_STRETCH))
    captions = _width((panel.caption for panel in sheet.panels), 13)
    inside = max(names + columns * cell_width, _width(sheet.lines[1:], 13), captions)
    cell_height = CELL_HEIGHT if not sheet.listing else LINE + PADDING
    headers = bool(panel.caption) + bool(panel.column_title) + 1
    panel_height = headers * LINE + rows * cell_height + PADDING
    legend_height = (math.ceil(len(sheet.legend) / 2) + bool(sheet.note)) * LINE
    head = LINE * len(sheet.lines) + 2 * PADDING
    height = 2 * MARGIN + head + len(sheet.panels) * panel_height + PADDING + legend_height

    picture = _Picture(max(LEAST_WIDTH, inside + 2 * MARGIN), height)
    for index, line in enumerate(sheet.lines):
        y = MARGIN + index * LINE + (PADDING if index == 0 else 2 * PADDING)
        picture.text(MARGIN, y, line, **({"size": 18, "weight": "bold"} if index == 0 else {"color": MUTED}))
    y = MARGIN + head
    for panel in sheet.panels:
        _draw_panel(picture, panel, y, names, cell_width, cell_height)
        y += panel_height
    _draw_legend(picture, sheet, y + PADDING)
    return picture.pixels()


def _draw_panel(picture: _Picture, panel: Panel, y: int, names: int, width: int, height: int) -> None:
    if panel.caption:
        picture.text(MARGIN, y + LINE // 2, panel.caption, size=13)
        y += LINE
    left = MARGIN + names
    if panel.column_title:
        middle = left + width * len(panel.column_names) / 2
        picture.text(middle, y + LINE // 2, panel.column_title, size=13, weight="bold", align="center")
        y += LINE
    picture.text(left - PADDING, y + LINE // 2, panel.row_title, size=13, weight="bold", align="right")
    for column, name in enumerate(panel.column_names):
        picture.text(left + (column + 0.5) * width, y + LINE // 2, name, size=13, color=MUTED, align="center")
    y += LINE
    for row, name in enumerate(panel.row_names):
        top = y + row * height
        picture.text(left - PADDING, top + height / 2, name, size=13, color=MUTED, align="right")
        for column, cell in enumerate(panel.cells[row]):
            _draw_cell(picture, cell, left + column * width, top, width, height)


def _draw_cell(picture: _Picture, cell: Cell, x: int, y: int, width: int, height: int) -> None:
    picture.box(x, y, width, height, fill=CHOSEN if cell.chosen else "white", edge=PALE, line=1)
    picture.text(x + width / 2, y + height / 2, cell.text, size=16, align="center")
    for tag in cell.tags:
        picture.mark(tag, x, y, width, height)


def _draw_legend(picture: _Picture, sheet: Sheet, y: int) -> None:
    for index, (mark, meaning) in enumerate(sheet.legend):
        x, middle = MARGIN + index % 2 * LEGEND_COLUMN, y + index // 2 * LINE + LINE // 2
        if sheet.listing:
            picture.text(x, middle, mark, weight="bold")
        elif mark == "chosen":
            picture.box(x, middle - 8, 28, 16, fill=CHOSEN, edge=PALE, line=1)
        else:
            picture.mark(mark, x, middle - 8, 28, 16)
        picture.text(x + 38, middle, meaning, color=MUTED)
    if sheet.note:
        picture.text(MARGIN, y + math.ceil(len(sheet.legend) / 2) * LINE + LINE // 2, sheet.note, color=MUTED)


def _font(size: float, weight: str) -> Any:
    from matplotlib.font_manager import FontProperties

    # The font that comes with matplotlib, whatever the user's settings say.
    return FontProperties(family="DejaVu Sans", size=size, weight=weight)


def _width(texts: Iterable[str], size: float, weight: str = "normal") -> int:
    from matplotlib.textpath import text_to_path

    font = _font(size, weight)
    return max(math.ceil(text_to_path.get_text_width_height_descent(text, font, False)[0]) for text in texts)


class _Picture:
    """A canvas measured in pixels from the upper left corner, independent of pyplot's state."""

    def __init__(self, width: int, height: int) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.transforms import Affine2D

        # At 72 dots per inch a point is a pixel.
        self._figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="white", edgecolor="white")
        self._canvas: Any = FigureCanvasAgg(self._figure)
        self._downwards = Affine2D().scale(1, -1).translate(0, height)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 13,
        weight: str = "normal",
        color: str = INK,
        align: Literal["left", "center", "right"] = "left",
    ) -> None:
        self._figure.text(
            x,
            y,
            text,
            fontproperties=_font(size, weight),
            color=color,
            ha=align,
            va="center_baseline",
            parse_math=False,
            usetex=False,
            transform=self._downwards,
        )

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, edge: str, line: int, above: int = 0
    ) -> None:
        from matplotlib.patches import Rectangle

        self._figure.add_artist(
            Rectangle(
                (x, y),
                width,
                height,
                facecolor=fill,
                edgecolor=edge,
                linewidth=line,
                transform=self._downwards,
                zorder=1 + above,
            )
        )

    def mark(self, tag: str, x: float, y: float, width: float, height: float) -> None:
        """Draw the sign of a tag into a cell: SE outlines it, NE is written, OPT is a star."""
        from matplotlib.lines import Line2D

        inset = min(14, height / 2)
        if tag == "SE":
            self.box(x + 2, y + 2, width - 4, height - 4, fill="none", edge=LEADER, line=3, above=1)
        elif tag == "NE":
            self.text(x + 8, y + height - inset, "NE", size=11, weight="bold", color=NASH)
        else:
            star = Line2D([x + width - inset], [y + inset], linestyle="none", transform=self._downwards)
            star.set(marker="*", markersize=13, markerfacecolor=STAR, markeredgecolor=STAR)
            self._figure.add_artist(star)

    def pixels(self) -> NDArray[np.uint8]:
        self._canvas.draw()
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()
