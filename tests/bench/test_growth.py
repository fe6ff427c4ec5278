"""Month ends of growing size: drawn in blocks, kept, and shown in the docs as measured."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from bench import growth, growth_plot, world
from bench.growth import Point

SVG = "{http://www.w3.org/2000/svg}"
POINT = Point(1_000_000, "SQLite", "duckdb", 9.0, 6.0, 4.5, 300.0, 0.0, 0.05)


def parsed(lines: dict[str, list[tuple[float, float]]]) -> ET.Element:
    return ET.fromstring(growth_plot.drawn(lines))  # noqa: S314 - drawn here


def test_a_month_of_many_blocks_is_drawn_to_its_size_too(monkeypatch):
    monkeypatch.setattr(world, "BLOCK", 70)
    month = world.draw(300, 3_001)
    assert month.member.size == 3_001
    assert set(month.member.tolist()) > {0, 69, 70, 299}
    assert not (month.owner[month.thing] == month.member).any()
    assert (np.diff(month.member * 10_000 + month.thing) > 0).all()


def test_a_month_is_read_as_it_was_kept(tmp_path):
    month = world.draw(60, 400)
    world.keep(month, tmp_path / "month.npz")
    again = world.read(tmp_path / "month.npz")
    assert all((getattr(again, name) == column).all() for name, column in vars(month).items())


def test_the_newest_of_each_size_is_kept_and_stands_on_its_page(tmp_path):
    page = tmp_path / growth.PAGE
    page.write_text(f"# A\n\nbefore\n{growth.BEGINS}\nold\n{growth.ENDS}\nafter\n")
    larger = replace(POINT, nods=20_000_000, settled_cpu_s=24.0, numpy_s=2.0)
    for point in (larger, POINT, replace(POINT, settled_cpu_s=5.0)):
        growth.keep(point, tmp_path)
    assert growth.kept(tmp_path) == [replace(POINT, settled_cpu_s=5.0), larger]
    first, *_middle, last = page.read_text().partition(growth.BEGINS)[2].splitlines()[3:6]
    assert first.startswith("| 1,000,000 | SQLite | DuckDB | 5.0 | 5.0 | 4.5 |")
    assert last == growth.ENDS
    assert "| 2.00 | 12 | 12 |" in page.read_text(), "twelve times numpy, as asked"
    assert page.read_text().startswith("# A\n\nbefore\n")
    assert page.read_text().endswith("\nafter\n")


def test_the_plot_names_each_line_where_no_other_name_is():
    lines = {f"line {n}": [(1e6, 5 + n / 100), (1e7, 50 + n / 100)] for n in range(4)}
    root = parsed(lines | {"low": [(1e6, 0.02)]})
    title, said = root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")
    assert title
    assert said is not None
    assert all(f"{name}: 1 M nods in" in said for name in lines)
    names = [one for one in root.iter(f"{SVG}text") if one.text in {*lines, "low"}]
    heights = sorted(float(one.attrib["y"]) for one in names)
    assert len(heights) == 5
    assert min(np.diff(heights)) >= growth_plot.APART - 0.2
    curves = [one for one in root.iter(f"{SVG}path") if "line" in one.attrib["class"].split()]
    assert len({one.attrib["stroke-dasharray"] for one in curves}) == 5


def test_ten_times_the_nods_lie_one_square_further_on_both_axes():
    root = parsed({"a": [(1e6, 1.0), (1e7, 10.0), (1e8, 100.0)]})
    marks = [one.attrib for one in root.iter(f"{SVG}circle")]
    for axis in ("cx", "cy"):
        first, second, third = (float(mark[axis]) for mark in marks)
        assert second - first == pytest.approx(third - second, abs=0.2) != 0


def test_the_docs_show_what_was_measured(tmp_path):
    """A figure that is changed by hand is seen, and so is a plot that was not drawn anew."""
    points = growth.kept(growth.DOCS)
    assert {point.nods for point in points} >= {1_000_000, 5_000_000, 20_000_000}
    growth.write(points, tmp_path)
    assert (tmp_path / growth.PLOT).read_text() == (growth.DOCS / growth.PLOT).read_text()
    page = (growth.DOCS / growth.PAGE).read_text()
    assert f"{growth.BEGINS}\n{growth.table(points)}\n{growth.ENDS}" in page
    assert f"]({growth.PLOT})" in page


@pytest.mark.slow
def test_growth_is_measured_and_agrees_with_numpy(monkeypatch, tmp_path):
    monkeypatch.setattr(growth, "SQLITE_ALONE", 0)
    figures = list(growth.figures([2_000], into=tmp_path))
    assert [figure.budget.partition(",")[0] for figure in figures] == ["45 x", "12 x"]
    assert [point.engine for point in growth.kept(tmp_path)] == ["database", "duckdb"]
