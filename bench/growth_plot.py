"""A plot of seconds over nods, both in powers of ten, as SVG that is read on light and on dark."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

Line = Sequence[tuple[float, float]]
# Where a point of the plot lies on the paper.
Place = Callable[[float, float], tuple[float, float]]

WIDTH, HEIGHT = 760, 470
LEFT, RIGHT, TOP, BOTTOM = 70, 262, 24, 56
# Told apart without colour, too: by their dashes and the marks on them.
DASHES = ("", "7 4", "2 3", "9 3 2 3", "1 5")
# Letters lie this far apart at the ends of lines.
APART = 17
MILLION = 1_000_000

_NAMES = 'xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="t d"'
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.grid { stroke: #24292f; stroke-opacity: .18; }
.line { fill: none; stroke-width: 2; }
.c0 { stroke: #0b61a4; } .c1 { stroke: #b3470b; } .c2 { stroke: #1b7a3d; }
.c3 { stroke: #7a3db8; } .c4 { stroke: #57606a; }
circle { stroke-width: 2; fill: #fff; }
.paper { fill: #fff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .grid { stroke: #e6edf3; } .paper, circle { fill: #0d1117; }
  .c0 { stroke: #6cb6ff; } .c1 { stroke: #f69d50; } .c2 { stroke: #57d27e; }
  .c3 { stroke: #c9a0ff; } .c4 { stroke: #adbac7; }
}
"""


def drawn(lines: Mapping[str, Line]) -> str:
    """Each line by its name; nods across, seconds up."""
    across = _decades([x for line in lines.values() for x, _y in line])
    up = _decades([y for line in lines.values() for _x, y in line])

    def place(x: float, y: float) -> tuple[float, float]:
        right, top = WIDTH - RIGHT, HEIGHT - BOTTOM
        return (
            LEFT + _part(x, across) * (right - LEFT),
            top - _part(y, up) * (top - TOP),
        )

    rows = [*_grid(across, up, place), *_lines(lines, place)]
    said = "; ".join(f"{name}: {_said(line)}" for name, line in lines.items())
    return "\n".join(
        (
            f'<svg {_NAMES} viewBox="0 0 {WIDTH} {HEIGHT}">',
            '<title id="t">Seconds of CPU to settle a month, by nods, on logarithmic axes</title>',
            f'<desc id="d">{said}.</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
            *rows,
            "</svg>\n",
        )
    )


def _said(line: Line) -> str:
    return ", ".join(f"{_count(x)} nods in {y:.3g} s" for x, y in line)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _part(value: float, decades: tuple[int, int]) -> float:
    low, high = decades
    return (math.log10(value) - low) / (high - low)


def _count(x: float) -> str:
    return f"{x / MILLION:g} M" if x >= MILLION else f"{x:,.0f}"


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def _grid(across: tuple[int, int], up: tuple[int, int], place: Place) -> Iterator[str]:
    for power in range(across[0], across[1] + 1):
        x, bottom = place(10.0**power, 10.0 ** up[0])
        _x, top = place(10.0**power, 10.0 ** up[1])
        yield f'<path class="grid" d="M{x:.1f} {bottom:.1f}V{top:.1f}"/>'
        yield _text(x, bottom + 20, _count(10.0**power), "middle")
    for power in range(up[0], up[1] + 1):
        left, y = place(10.0 ** across[0], 10.0**power)
        right, _y = place(10.0 ** across[1], 10.0**power)
        yield f'<path class="grid" d="M{left:.1f} {y:.1f}H{right:.1f}"/>'
        yield _text(left - 8, y + 4, f"{10.0**power:,g} s", "end")
    yield _text(LEFT, HEIGHT - 10, "nods of one month")


def _lines(lines: Mapping[str, Line], place: Place) -> Iterator[str]:
    """The lines with their marks, and their names at their ends, none over another."""
    ends = sorted((place(*line[-1])[1], number) for number, line in enumerate(lines.values()))
    heights: dict[int, float] = {}
    lowest = 0.0
    for y, number in ends:
        lowest = heights[number] = max(y, lowest + APART)
    for number, (name, line) in enumerate(lines.items()):
        kind, points = f"c{number % len(DASHES)}", [place(x, y) for x, y in line]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        dashes = DASHES[number % len(DASHES)]
        yield f'<path class="line {kind}" stroke-dasharray="{dashes}" d="M{path}"/>'
        for x, y in points:
            yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        x, y = points[-1]
        end = WIDTH - RIGHT + 14
        yield f'<path class="grid" d="M{x + 6:.1f} {y:.1f}L{end} {heights[number]:.1f}"/>'
        yield _text(end + 4, heights[number] + 4, name)
