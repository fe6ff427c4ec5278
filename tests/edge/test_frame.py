"""The frame around a button: what stands in it, whatever is asked for."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mickle.edge import _asking, _drawing, _files, _frame, _posting
from mickle.edge._words import WORDS

URL = {"url": "https://essay.example/"}
EVIL = '"><img src=x onerror=alert(1)>\u202egnp.exe\x00\u2028 & more'


class Tags(HTMLParser):
    """The tags of a document, with the attributes of each."""

    def __init__(self, text: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def one(self, name: str) -> dict[str, str | None]:
        (found,) = [attrs for tag, attrs in self.tags if tag == name]
        return found


def drawn(title: str = "", language: str = "en", size: str = "wide", count: int = 12) -> bytes:
    return _frame.holding(count, size, "dark", language, asked=URL, title=title, pages="")


def test_a_title_cannot_leave_its_place_or_turn_the_text_around_it():
    tags = Tags(drawn(EVIL))
    assert "img" not in [tag for tag, _attrs in tags.tags]
    assert tags.one("html")["data-title"] == '"><img src=x onerror=alert(1)> gnp.exe & more'
    assert tags.one("a")["aria-label"] == f"Nod, 12 nods: {tags.one('html')['data-title']}"


@pytest.mark.parametrize(
    "turn", "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b"
)
def test_no_character_that_turns_or_hides_text_is_left(turn):
    assert _frame.clean(f"a{turn}b") == "a b"


def test_what_joins_letters_stays():
    assert _frame.clean("می\u200cخواهم 👩\u200d🔬") == "می\u200cخواهم 👩\u200d🔬"


def test_a_title_is_one_line_of_two_hundred_characters_at_most():
    assert _frame.clean("x" * 10_000) == "x" * 200
    assert _frame.clean(" a\n\tb  ") == "a b"
    assert _frame.clean("\u202e" * 10_000) == ""


def test_the_frame_works_as_a_link_before_its_script_runs():
    tags = Tags(
        _frame.holding(1, "wide", "auto", "de", asked=URL, title="", pages="https://p.example")
    )
    link = tags.one("a")
    assert link["href"] == "https://p.example/nod?url=https%3A%2F%2Fessay.example%2F"
    assert link["aria-label"] == "Danke sagen, 1 Danke"
    assert tags.one("html")["lang"] == "de"


def test_a_frame_asked_for_by_number_leads_to_the_page_of_the_thing():
    frame = _frame.holding(1, "wide", "auto", "en", asked={"id": "5"}, title="", pages="")
    assert Tags(frame).one("a")["href"] == "/thing/5"
    assert Tags(frame).one("html")["data-id"] == "5"


@pytest.mark.parametrize("size", _drawing.SIZES)
@pytest.mark.parametrize("language", _drawing.LANGUAGES)
def test_the_frame_draws_what_the_picture_draws(size, language):
    picture = _drawing.button(12_400, size, "auto", language).decode()
    inside = re.search(r'<g class="counted">.*</g>', picture)[0]
    assert inside in drawn(language=language, size=size, count=12_400).decode()


def test_the_empty_frame_holds_every_size_for_both_directions():
    tags = Tags(_frame.shell("https://p.example"))
    ids = [attrs["id"] for tag, attrs in tags.tags if tag == "template"]
    assert ids == ["wide", "compact", "tall", "wide-rtl", "compact-rtl", "tall-rtl"]
    assert tags.one("html")["data-pages"] == "https://p.example"
    assert json.loads(tags.one("html")["data-words"]).keys() == WORDS.keys()


@pytest.mark.parametrize("document", [_frame.shell(""), drawn(EVIL)])
def test_nothing_in_the_frame_needs_more_than_its_policy_allows(document):
    for tag, attrs in Tags(document).tags:
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith("on")]
        assert tag != "style"
        if tag == "script":
            assert attrs["src"] == "/b/frame.js"


def test_the_frame_has_the_colours_of_the_picture():
    sheet = (Path(_files.__file__).parent / "static/frame.css").read_text()
    for theme in ("light", "dark"):
        picture = _drawing.button(1, "wide", theme, "en").decode()
        for colour in re.findall(r"#[0-9a-f]{6}", picture):
            assert colour in sheet


@pytest.mark.parametrize(
    "query",
    [
        *("url=javascript:alert(1)", "url=data:text/html,x", "url=%00", "url=", "id=", "id=x"),
        *("id=1&id=2", "id=-1", "id=1e3", "id[]=1", "id=1&size=huge", "id=1&lang=xx"),
        *("id=%221%22", "id=1&theme=%3Cscript%3E", "url=https://a.example/&url=https://b.example/"),
    ],
)
def test_what_is_no_page_makes_no_frame(query):
    assert _asking.read_anew(query.encode(), drawn=True).wrong.endswith(".")


def test_a_title_in_the_query_is_cleaned_too():
    asked = _asking.read_anew(b"id=1&title=" + b"%E2%80%AEx" * 3_000, drawn=True)
    assert asked.title == " ".join("x" * 100)


@pytest.mark.parametrize("language", _drawing.LANGUAGES)
def test_the_word_that_is_seen_is_part_of_what_is_heard(language):
    words = WORDS[language]
    for state in ("counted", "nodded"):
        assert words.word(state).lower() in words.aloud(state).lower()
    assert len(words.label) <= 7
    assert len(words.nodded) <= 7


@pytest.mark.parametrize("language", [one for one in _drawing.LANGUAGES if one != "en"])
def test_a_refusal_is_said_in_the_language_of_the_button(language):
    said = json.loads(Tags(drawn(language=language)).one("html")["data-words"])[language]["why"]
    # What may be refused to who has a pass of the site; the rest is seen, or leads to the window.
    assert said.keys() == {"refused", "leaving", "limit", "later"}
    assert said.keys() <= _posting._WHY.keys()
    assert len({*said.values()} - {_posting._WHY[reason][1] for reason in said}) == 4


@pytest.mark.parametrize(
    ("language", "count", "noun"),
    [
        *(("en", 1, "nod"), ("en", 0, "nods"), ("fr", 0, "merci"), ("fr", 2, "mercis")),
        *(("ar", 2, "كلمتا شكر"), ("ar", 8, "كلمات شكر"), ("ar", 128, "كلمة شكر")),
        *(("sv", 3, "tack"), ("es", 1_000_000, "gracias"), ("de", 1, "Danke")),
    ],
)
def test_counts_have_the_noun_of_their_language(language, count, noun):
    assert _drawing.spoken(count, language).endswith(f"{count} {noun}")
