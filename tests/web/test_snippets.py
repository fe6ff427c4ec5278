"""Each snippet, read by a parser of its place: the address and the words arrive as they were."""

import io
import json
import re
import tomllib
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
import yaml
from django.utils import translation
from docutils import nodes
from docutils.core import publish_doctree
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mickle.web import snippets
from mickle.web.snippets import Facts

PLAIN = Facts(
    pages="https://nod.example",
    button="https://b.example",
    url="https://blog.example/essay",
    thing_id=101,
    title="An essay",
    by="bob",
)
TITLES = [
    "An essay",
    "a ] b [ c ) d ( e \"f\" 'g' <h> & i|j *k* _l_ `m` {n} #o ~p~ $q$ \\r :s: @t ^u^ =v= +w+ %x",
    "__init__ **bold** ''wiki'' {{template}} [[link]] -- dash &amp; &#93; ]]> <!-- --> --> ~~~~",
    'https://evil.example/ [/img][/url] `` x :: y_ z__ |k| include::x[] pass:[y] \\] \\" \\',
    "term:: list; a]; b ;; c: d :e: mailto:x (C) -> <1> ' + http://x //y [[z]] :",
    "Käse 🧀 👩‍🚀 ⑩ — “quoted” …",
    "שלום עולם مرحبا",
    "x" * 200,
]
URLS = [
    "https://blog.example/essay",
    "https://blog.example/a?b=c&d=e%26f&lang=de&copy=1#frag",
    "https://blog.example/(a)[b]'c'\"d\" e<f>|g*h_i_j__k~l~m~~n--o_",
    "https://xn--bcher-kva.example/sch%C3%B6n/größe?x={y}`z`^\\",
]
FACTS = [replace(PLAIN, title=title) for title in TITLES]
FACTS += [replace(PLAIN, url=url, by=by) for url in URLS for by in ("bob", "", 'a&b="c"_ d\'')]
FACTS += [
    replace(PLAIN, pages="https://xn--nd-eka.example", button="https://xn--nd-eka.example"),
    replace(PLAIN, language="de"),
    replace(PLAIN, title=""),
]
any_facts = pytest.mark.parametrize("facts", FACTS)
FEED = {"atom": "http://www.w3.org/2005/Atom", "p": "https://podcastindex.org/namespace/1.0"}


def text(facts: Facts, label: str) -> str:
    (found,) = (one.text for one in snippets.all_of(facts) if one.label == label)
    return found


class Tags(HTMLParser):
    """The elements of a piece of HTML, in order, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def leads_to(address: str, facts: Facts) -> None:
    """The address is the nod page's, and what it asks for is whole."""
    asked = urlsplit(address)
    assert f"{asked.scheme}://{asked.netloc}{asked.path}" == f"{facts.pages}/nod"
    expected = {"url": [facts.url]} | ({"by": [facts.by]} if facts.by else {})
    assert parse_qs(asked.query, strict_parsing=True) == expected
    assert not asked.fragment


@any_facts
def test_html_is_a_link_a_picture_an_element_and_a_frame(facts):
    link = Tags(text(facts, "Link"))
    ((name, a),) = link.tags
    assert (name, a["rel"], link.words) == ("a", "payment nofollow", "Nod at this")
    leads_to(a["href"], facts)
    (_a, a), (_img, img) = Tags(text(facts, "Picture with count")).tags
    leads_to(a["href"], facts)
    assert (img["alt"], img["src"]) == (facts.label, facts.badge)
    (_script, script), (name, element), (_a, a) = Tags(text(facts, "Element")).tags
    assert script["src"] == f"{facts.button}/b/b.js"
    assert script.get("data-pages", facts.button) == facts.pages
    assert (name, element["url"]) == ("mickle-button", facts.url)
    leads_to(a["href"], facts)
    ((name, frame),) = Tags(text(facts, "Frame")).tags
    assert (name, frame["title"]) == ("iframe", facts.label)
    assert parse_qs(urlsplit(frame["src"]).query)["url"] == [facts.url]
    assert frame["referrerpolicy"] == "origin"
    assert "onclick" not in frame


@any_facts
@pytest.mark.parametrize("label", ["Markdown", "Markdown, shields.io"])
@pytest.mark.parametrize("around", ["{}", "Before {} after.", "| a |\n|---|\n| {} |"])
def test_markdown_is_a_picture_in_a_link_also_in_a_table(facts, label, around):
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tags = Tags(reader.render(around.format(text(facts, label)))).tags
    (_a, a), (_img, img) = [(name, found) for name, found in tags if name in ("a", "img")]
    leads_to(a["href"], facts)
    assert img["alt"] == facts.label
    if label == "Markdown":
        assert img["src"] == facts.badge
    else:
        inner = parse_qs(urlsplit(img["src"]).query)["url"]
        assert inner == [facts.badge.replace("count.svg", "shields.json")]


@any_facts
def test_restructured_text_is_a_picture_with_a_target(facts):
    heard = io.StringIO()
    read = publish_doctree(
        "Before\n\n" + text(facts, "reStructuredText") + "\n\nAfter\n",
        settings_overrides={"warning_stream": heard},
    )
    (image,) = read.findall(nodes.image)
    (reference,) = read.findall(nodes.reference)
    assert heard.getvalue() == ""
    assert (image["alt"], image["uri"]) == (facts.label, facts.badge)
    leads_to(reference["refuri"], facts)


@any_facts
def test_asciidoc_is_one_macro_whose_words_hold_no_markup(facts):
    found = re.fullmatch(
        r'image:([^\s\[]+)\["([^"\]\\{}*_`#+^~<>|]*|(?:[^"\]\\{}*_`+^~<>|]|&#\d{2,3};)*)",'
        r'160,36,link="([^"\s]+)",window=_blank\]',
        text(facts, "AsciiDoc"),
    )
    badge, label, nod = map(unescape, found.groups())
    assert (badge, label) == (facts.badge, facts.label)
    leads_to(nod, facts)
    # Each of these is replaced, set in another type or begins a list, in words and addresses alike.
    assert not re.search(r"--|__|~|\*|''|::+\s|;;\s", text(facts, "AsciiDoc"))


@any_facts
def test_wiki_text_is_one_link_whose_words_hold_no_markup(facts):
    found = re.fullmatch(r"\[(\S+) ([^\[\]{}'<>|~_]*)\]", text(facts, "Wiki text"))
    leads_to(found[1], facts)
    assert unescape(found[2]) == facts.label
    assert not re.search(r"__|~~|''", found[0])


@any_facts
def test_bbcode_is_a_picture_in_a_link(facts):
    found = re.fullmatch(
        r"\[url=([^\]\[\s\"']+)\]\[img\]([^\[\]\s]+)\[/img\]\[/url\]", text(facts, "BBCode")
    )
    leads_to(found[1], facts)
    assert found[2] == facts.badge


@any_facts
def test_feeds_carry_a_payment_link(facts):
    atom = f'<feed xmlns="{FEED["atom"]}">{text(facts, "Atom")}</feed>'
    rss = f"<rss><channel>{text(facts, 'RSS')}</channel></rss>"
    for feed in (atom, rss):
        link = ET.fromstring(feed).find(".//atom:link", FEED)  # noqa: S314 - our own
        assert (link.get("rel"), link.get("type")) == ("payment", "text/html")
        assert link.get("title") == facts.label
        leads_to(link.get("href"), facts)


@any_facts
def test_a_podcast_names_its_funding_in_at_most_128_characters(facts):
    channel = f"<rss><channel>{text(facts, 'Podcast')}</channel></rss>"
    found = ET.fromstring(channel).find(".//p:funding", FEED)  # noqa: S314 - our own
    assert found.text == facts.label
    assert len(found.text) <= 128
    leads_to(found.get("url"), facts)


@any_facts
def test_software_names_its_funding(facts):
    (github,) = yaml.safe_load(text(facts, "GitHub"))["custom"]
    leads_to(github, facts)
    leads_to(json.loads("{" + text(facts, "npm") + "}")["funding"], facts)
    leads_to(tomllib.loads(text(facts, "PyPI"))["project"]["urls"]["Funding"], facts)


@any_facts
def test_a_signature_is_two_lines_of_plain_text(facts):
    label, address = text(facts, "E-mail signature").splitlines()
    assert label == facts.label
    leads_to(re.fullmatch(r"<(\S+)>", address)[1], facts)


@settings(deadline=None)
@given(
    title=st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    url=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=100),
)
def test_no_title_and_no_address_breaks_out_of_any_place(title, url):
    facts = replace(PLAIN, title=title, url="https://blog.example/" + url)
    test_html_is_a_link_a_picture_an_element_and_a_frame(facts)
    test_asciidoc_is_one_macro_whose_words_hold_no_markup(facts)
    test_wiki_text_is_one_link_whose_words_hold_no_markup(facts)
    test_bbcode_is_a_picture_in_a_link(facts)
    test_restructured_text_is_a_picture_with_a_target(facts)
    test_markdown_is_a_picture_in_a_link_also_in_a_table(facts, "Markdown", "{}")


def test_a_title_becomes_one_line_that_turns_nothing_round():
    facts = replace(PLAIN, title="One\n\ttwo\x00\x1b[31m \u202ethree\u2066 four  ")
    assert facts.label == "Nod at One two [31m three four"
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x09]", text(facts, "RSS"))


def test_a_page_without_a_title_and_a_long_one_have_words_too():
    assert replace(PLAIN, title=" \n").label == "Nod at this"
    assert replace(PLAIN, title="x" * 200).label == f"Nod at {'x' * 99}…"


def test_snippets_speak_the_language_of_the_page():
    with translation.override("de"):
        facts = replace(PLAIN, language="de")
        assert facts.label == "Danke sagen: An essay"
        assert ">Danke sagen</a>" in text(facts, "Link")
        assert facts.badge.endswith("/b/count.svg?id=101&lang=de")
        assert ' lang="de"' in text(facts, "Element")


def test_snippets_of_one_place_stand_together():
    places = [one.place for one in snippets.all_of(PLAIN)]
    assert list(dict.fromkeys(places)) == sorted(set(places), key=places.index)
    assert sum(a != b for a, b in pairwise(places)) == len(set(places)) - 1
    assert all(one.hint.endswith(".") for one in snippets.all_of(PLAIN))
