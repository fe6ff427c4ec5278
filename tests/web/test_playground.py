"""The playground without a browser: what it writes for a page, and what it refuses."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client

from mickle.edge import _drawing
from mickle.web.views import playground
from tests.people import instance_at

pytestmark = pytest.mark.django_db
EVIL = '"><script>alert(1)</script>'


@pytest.fixture(autouse=True)
def here() -> None:
    instance_at()


def page(**asked: str) -> HttpResponse:
    return Client().get("/buttons", asked)


def snippets(answer: HttpResponse) -> list[str]:
    return [
        unescape(one)
        for one in re.findall(r"<code>(.*?)</code>", answer.content.decode(), re.DOTALL)
    ]


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    found: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append((tag, dict(attrs)))
    parser.feed(text)
    return found


def test_it_offers_what_the_edge_draws() -> None:
    assert tuple(playground.PIXELS) == _drawing.SIZES
    assert tuple(playground.THEMES) == _drawing.THEMES
    assert tuple(playground.LANGUAGES) == _drawing.LANGUAGES


def test_the_snippet_has_what_was_chosen_and_nothing_more(settings: LazySettings) -> None:
    settings.BASE_URL = "https://nod.example"
    plain, _frame, _policy = snippets(page(url="https://blog.example/a?b=1&c=2"))
    assert tags(plain) == [
        ("script", {"async": None, "src": "https://nod.example/b/b.js"}),
        ("mickle-button", {"url": "https://blog.example/a?b=1&c=2", "lang": "en"}),
        (
            "a",
            {
                "href": "https://nod.example/nod?url=https%3A%2F%2Fblog.example%2Fa%3Fb%3D1%26c%3D2",
                "rel": "payment nofollow",
                "target": "_blank",
            },
        ),
        (
            "img",
            {
                "src": "https://nod.example/b/count.svg?url=https%3A%2F%2Fblog.example%2Fa%3Fb%3D1%26c%3D2",
                "width": "160",
                "height": "36",
                "alt": "Nod",
            },
        ),
    ]
    chosen = {"size": "compact", "theme": "dark", "lang": "de", "title": "Ein Text", "live": "on"}
    element = tags(snippets(page(url="https://blog.example/", **chosen))[0])[1][1]
    assert element == {"url": "https://blog.example/", **chosen, "live": None}


def test_a_button_origin_of_its_own_stands_in_snippet_and_policy(settings: LazySettings) -> None:
    settings.BASE_URL, settings.BUTTON_ORIGIN = "https://nod.example", "https://button.example"
    answer = page(url="https://blog.example/")
    element, frame, policy = snippets(answer)
    assert tags(element)[0][1]["data-pages"] == "https://nod.example"
    assert tags(frame)[0][1]["src"].startswith("https://button.example/b/frame?url=https%3A")
    assert "frame-src https://button.example;" in policy
    sent = answer["Content-Security-Policy"]
    for name in ("script-src", "img-src", "connect-src"):
        assert f"{name} 'self' https://button.example;" in sent
    assert sent.endswith("; frame-src https://button.example")


def test_alone_it_allows_its_own_frames_only() -> None:
    assert page()["Content-Security-Policy"].endswith("frame-ancestors 'none'; frame-src 'self'")


@pytest.mark.parametrize("name", ["url", "title"])
def test_markup_stays_text_in_the_snippet_and_in_what_is_shown(name: str) -> None:
    answer = page(**({"url": "https://blog.example/"} | {name: "https://blog.example/" + EVIL}))
    text = answer.content.decode()
    assert "<script>alert" not in text
    for snippet in snippets(answer)[:2]:
        assert "<script>alert" not in snippet


@pytest.mark.parametrize(
    "asked",
    [
        *({"url": ""}, {"url": "javascript:alert(1)"}, {"url": "data:text/html,x"}),
        *(
            {"url": "https://a.example/", "size": "huge"},
            {"url": "https://a.example/" + "x" * 5_000},
        ),
        {"url": "https://a.example/", "lang": EVIL},
    ],
)
def test_what_makes_no_button_is_told_and_shown_nowhere(asked: dict[str, str]) -> None:
    answer = page(**asked)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert snippets(answer) == []


def test_it_speaks_german_to_germans() -> None:
    text = Client().get("/buttons", headers={"Accept-Language": "de"}).content.decode()
    assert "<h1>Der Knopf</h1>" in text
    assert 'lang="de">' in text


def test_what_is_wrong_with_the_address_is_named_by_its_field() -> None:
    text = page(url="nowhere").content.decode()
    (named,) = re.findall(r'<input[^>]*name="url"[^>]*aria-describedby="([^"]+)"', text)
    assert f'id="{named}">This is not a whole address.' in text
