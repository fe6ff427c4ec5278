"""The look: geometry, money as text, and what every template keeps to."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.utils import translation

from mickle import web
from mickle.lib.money import MICROS
from mickle.web import drawing, wording
from mickle.web.drawing import Bar
from mickle.web.templatetags import look

FOLDER = Path(web.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))


def points(path: str) -> list[tuple[float, float]]:
    return [
        (float(x), float(y)) for x, y in re.findall(r"[ML ](-?[\d.]+) (-?[\d.]+)(?=[AZ])", path)
    ]


@pytest.mark.parametrize("n", [2, 3, 8, 16, 24])
def test_slices_are_equal_and_go_round_clockwise_from_the_top(n: int) -> None:
    ends = [points(drawing.slice_path(i, n)) for i in range(n)]
    assert ends[0][0] == (0.0, -86.0)
    for i, (start, stop) in enumerate(ends):
        assert start == pytest.approx(ends[i - 1][1], abs=0.02)
        assert start[0] ** 2 + start[1] ** 2 == pytest.approx(86**2, rel=1e-3)
        assert stop == ends[(i + 1) % n][0]
    assert ends[0][1][0] > 0 or n == 2


def test_one_slice_is_a_full_disc_and_so_are_very_many() -> None:
    assert drawing.slice_path(0, 1).count("A86 86") == 2
    assert drawing.slices([""] * 24).count("<path") == 24
    assert drawing.slices([""] * 25) == drawing.slices([""])


def test_numbers_stand_on_slices_up_to_sixteen() -> None:
    assert drawing.numbers(["", "wait"]).count("<text") == 2
    assert 'class="no wait"' in drawing.numbers(["", "wait"])
    assert drawing.numbers([""] * 16).count("<text") == 16
    assert drawing.numbers([""] * 17) == drawing.numbers([""]) == ""


def test_the_hub_of_a_pie_holds_the_largest_budget() -> None:
    assert 'class="val" y="3">€99.00<' in look.pie([""], "a coin", value="€99.00")
    assert 'class="val long" y="3">€100.00<' in look.pie([""], "a coin", value="€100.00")


def test_the_coin_is_the_mark() -> None:
    mark = Path(finders.find("mickle/mark.svg")).read_text()
    drawn = re.findall(r' d="([^"]+)"', drawing.COIN)
    assert drawn == re.findall(r' d="([^"]+)"', mark)


@pytest.mark.parametrize("peak", [0, 1, 3, 7, 41, 146, 999, 123_456])
def test_a_scale_holds_its_peak_with_few_round_steps(peak: int) -> None:
    top, step = drawing.nice_top(peak)
    assert top >= peak
    assert top % step == 0
    assert top // step <= 3
    assert str(step).rstrip("0") in {"1", "2", "5"}


def test_bars_stand_on_zero_and_the_highest_is_named() -> None:
    low, high = drawing.columns([Bar("a", 25), Bar("b", 100)], 100)
    assert (low.y, low.height) == (75, 25)
    assert (high.y, high.height, high.peak, low.peak) == (0, 100, True, False)
    assert low.x + low.width < high.x
    assert not any(one.peak for one in drawing.columns([Bar("a", 0)], 1))


@pytest.mark.parametrize(
    ("language", "micros", "text"),
    [
        ("en", 416_667, "€0.41"),
        ("en", 999_999, "€0.99"),
        ("en", -5_000_000, "−€5.00"),
        ("en", -1, "€0.00"),
        ("en", 1_234_567_890_000, "€1,234,567.89"),
        ("de", 416_667, "0,41\xa0€"),
        ("de", 1_234_560_000, "1.234,56\xa0€"),
    ],
)
def test_amounts_are_rounded_towards_zero_in_the_language(
    language: str, micros: int, text: str
) -> None:
    with translation.override(language):
        assert wording.amount(micros) == text


def test_short_amounts_leave_out_cents_only_where_there_are_none() -> None:
    with translation.override("en"):
        assert wording.amount(5 * MICROS, short=True) == "€5"
        assert wording.amount(5_500_000, short=True) == "€5.50"
    with translation.override("de"):
        assert wording.amount(5 * MICROS, short=True) == "5\xa0€"


def test_exact_amounts_carry_all_six_places_in_every_language() -> None:
    with translation.override("en"):
        assert str(wording.exact_tag(416_667)) == (
            '<data value="416667">€0.41<span class="micro">6667</span></data>'
        )
        assert "−€0.00<" in wording.exact_tag(-1)
    with translation.override("de"):
        assert '0,41<span class="micro">6667</span>\xa0€' in wording.exact_tag(416_667)


def test_other_currencies_keep_their_own_decimals(settings: LazySettings) -> None:
    settings.CURRENCY, settings.CURRENCY_DECIMALS = "JPY", 0
    with translation.override("en"):
        assert wording.amount(500_900_000) == "¥500"
        assert '¥500<span class="micro">900000</span>' in wording.exact_tag(500_900_000)


def test_the_style_sheets_stay_under_24_kilobytes() -> None:
    sheets = (FOLDER / "static/mickle").glob("*.css")
    assert sum(sheet.stat().st_size for sheet in sheets) <= 24_000


class _Strict(HTMLParser):
    """Finds what a strict policy forbids and what nobody could reach."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if "style" in names or any(name.startswith("on") for name in names):
            self.found.append(tag)
        if tag == "script" and "src" not in names:
            self.found.append("inline script")
        if tag == "style":
            self.found.append("style")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_compiles_and_keeps_to_the_strict_policy(path: Path) -> None:
    get_template(str(path.relative_to(FOLDER / "templates")))
    parser = _Strict()
    parser.feed(re.sub(r"{%.*?%}|{{.*?}}", "", path.read_text()))
    assert parser.found == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_table_has_a_caption_and_its_heads_say_what_they_head(path: Path) -> None:
    text = path.read_text()
    assert not re.findall(r"<table\b[^>]*>(?!\s*<caption)", text)
    assert not re.findall(r"<th\b(?![^>]*\bscope=)[^>]*>", text)


def test_every_sentence_of_a_template_can_be_translated() -> None:
    for path in TEMPLATES:
        text = path.read_text()
        text = re.sub(r"{% blocktranslate.*?endblocktranslate %}", "", text, flags=re.DOTALL)
        text = re.sub(r"<(svg|script).*?</\1>", "", text, flags=re.DOTALL)
        text = re.sub(r"{%.*?%}|{{.*?}}|<[^>]*>|&\w+;", " ", text, flags=re.DOTALL)
        words = set(re.findall(r"[A-Za-z]{3,}", text)) - {"CSV", "JSON", "BIC", "xml"}
        assert not words, (path.name, words)


def test_a_form_that_changes_something_carries_its_token() -> None:
    for path in TEMPLATES:
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", path.read_text(), re.DOTALL):
            assert "{% csrf_token %}" in form, path.name


def test_vendored_htmx_is_what_its_note_says() -> None:
    folder = FOLDER / "static/mickle/vendor"
    digest = hashlib.sha384((folder / "htmx-2.0.11.min.js").read_bytes()).digest()
    named = f"sha384-{base64.b64encode(digest).decode()}"
    assert named in (folder / "README.md").read_text()
    assert named in (FOLDER / "templates/parts/htmx.html").read_text()
