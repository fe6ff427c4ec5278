"""Coins, pies and charts as SVG text: pure geometry, no request and no database."""

from dataclasses import dataclass
from math import cos, pi, sin

RADIUS = 86
NUMBERS_UP_TO = 16
FULL_DISC_FROM = 25
_RIM_ARCS = 60
_NUMBER_RADIUS = 60
_BASELINE = 3.8


def _xy(turn: float, radius: float = RADIUS) -> str:
    x, y = radius * sin(turn * 2 * pi), -radius * cos(turn * 2 * pi)
    # Adding 0.0 turns the -0.0 that rounding leaves into 0.0.
    return f"{round(x, 2) + 0.0:.2f} {round(y, 2) + 0.0:.2f}"


def _rim() -> str:
    arc = 0.7 * 2 * 94 * sin(pi / _RIM_ARCS)
    steps = (_xy((i + 1) / _RIM_ARCS, 94) for i in range(_RIM_ARCS))
    return f"M{_xy(0, 94)}" + "".join(f"A{arc:.2f} {arc:.2f} 0 0 1 {xy}" for xy in steps) + "Z"


def _flutes(first: int, last: int) -> str:
    points = [_flute(i) for i in range(first, last + 1)]
    arcs = "".join(f"A2.20 2.20 0 0 1 {x:.2f} {y:.2f}" for x, y in points[1:])
    x, y = points[0]
    return f"M11.4 12.6L{x:.2f} {y:.2f}{arcs}Z"


def _flute(i: int) -> tuple[float, float]:
    turn = i / 20 * 2 * pi
    return 11.4 + 9.5 * sin(turn), 12.6 - 9.5 * cos(turn)


RIM = _rim()
COIN = (
    '<svg class="coin" viewBox="0 0 24 24" aria-hidden="true">'
    f'<path class="body" d="{_flutes(4, 20)}"/><path class="slice" d="{_flutes(0, 4)}"/></svg>'
)


def slice_path(i: int, n: int) -> str:
    """The outline of slice i of n, clockwise from the top; one slice of one is the full disc."""
    if n == 1:
        return (
            f"M0 -{RADIUS}A{RADIUS} {RADIUS} 0 1 1 0 {RADIUS}A{RADIUS} {RADIUS} 0 1 1 0 -{RADIUS}Z"
        )
    return f"M0 0L{_xy(i / n)}A{RADIUS} {RADIUS} 0 0 1 {_xy((i + 1) / n)}Z"


def slices(states: list[str]) -> str:
    """Paths and numbers of a pie; a state is "", "wait", "gift", "next" or "new"."""
    n = len(states)
    if n >= FULL_DISC_FROM:
        states, n = [""], 1
    paths = [
        f'<path class="{_classes("cut", state)}" d="{slice_path(i, n)}"/>'
        for i, state in enumerate(states)
    ]
    return "".join(paths)


def numbers(states: list[str]) -> str:
    """The numbers on the slices, which match the numbered list beside the pie."""
    n = len(states)
    if not 1 < n <= NUMBERS_UP_TO:
        return ""
    texts = []
    for i, state in enumerate(states):
        turn = (i + 0.5) / n * 2 * pi
        x, y = _NUMBER_RADIUS * sin(turn), -_NUMBER_RADIUS * cos(turn) + _BASELINE
        dark = _classes("no", "wait" if state in ("wait", "next") else "")
        texts.append(f'<text class="{dark}" x="{x:.2f}" y="{y:.2f}">{i + 1}</text>')
    return "".join(texts)


def _classes(*names: str) -> str:
    return " ".join(name for name in names if name)


@dataclass(frozen=True)
class Bar:
    """One bar of a chart; kind is "" (past), "now" (still running) or "plan" (a forecast)."""

    label: str
    value: int
    kind: str = ""
    wide_only: bool = False


@dataclass(frozen=True)
class Line:
    """One hairline of a chart: its height from the bottom in percent, and its text."""

    percent: float
    text: str


@dataclass(frozen=True)
class Column:
    """A bar placed: left edge, width, top and height in percent of the plot."""

    x: float
    width: float
    middle: float
    y: float
    height: float
    bar: Bar
    peak: bool


def nice_top(peak: int) -> tuple[int, int]:
    """The top of the scale and the step between hairlines, 1, 2 or 5 times a power of ten."""
    step = 1
    while step * 3 < peak:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return max(step * -(-peak // step), step), step


def columns(bars: list[Bar], top: int) -> list[Column]:
    """Where each bar stands on a scale from zero to `top`."""
    slot = 100 / max(len(bars), 1)
    width = slot * 0.66
    peak = max((bar.value for bar in bars), default=0)
    peak_at = next((i for i, bar in enumerate(bars) if bar.value == peak and peak > 0), -1)
    placed = []
    for i, bar in enumerate(bars):
        height = 100 * bar.value / top
        left = i * slot + (slot - width) / 2
        placed.append(
            Column(
                x=round(left, 2),
                width=round(width, 2),
                middle=round(i * slot + slot / 2, 2),
                y=round(100 - height, 2),
                height=round(height, 2),
                bar=bar,
                peak=i == peak_at,
            )
        )
    return placed
