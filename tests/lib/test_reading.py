"""What is read on pages and in feeds, and that nothing a stranger sends crashes or floods it."""

import json
import random
import unicodedata

import pytest

from mickle.lib import _reading_found, reading
from mickle.lib._reading_found import FACTS, ITEMS, LINKS, plain
from mickle.lib.reading import Funding, Item, Reading

URL = "https://alice.example/blog/post?x=1"


def page(text: str, url: str = URL) -> Reading:
    return reading.read(text, url=url, type="text/html")


def feed(text: str, kind: str = "application/rss+xml") -> Reading:
    return reading.read(text, url="https://alice.example/feed.xml", type=kind)


FULL = """<!DOCTYPE html>
<html lang="en-GB"><head><title>The title &amp; more | Site</title>
<meta charset="utf-8"><meta name="description" content="Words">
<meta name="author" content="Alice"><meta name="mickle:owner" content="token-1">
<meta property="og:title" content="The title"><meta property="og:site_name" content="Site">
<meta property="og:description" content="More words"><meta property="og:image" content="/i.png">
<meta property="og:url" content="https://alice.example/other">
<link rel="canonical" href="/blog/post"><link rel="me" href="https://social.example/@alice">
<link rel="alternate" type="application/rss+xml" href="/feed.xml">
<link rel="alternate" type="application/json+oembed" href="/oembed?url=x">
<link rel="PAYMENT" href="https://nod.example.org/nod?url=x" title="Give">
<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [
 {"@type": "WebSite", "name": "Site"},
 {"@type": ["Article"], "headline": "LD title", "author": [{"name": "Alice A."}],
  "publisher": {"name": "Pub"}, "image": {"url": "ld.png"}, "inLanguage": "de",
  "mainEntityOfPage": {"@id": "https://alice.example/ld"}}]}</script>
</head><body><a rel="me noopener" href="//code.example/alice">me</a>
<a rel="me ugc" href="https://evil.example/">of a reader</a>
<a rel="payment" href="pay">give</a></body></html>"""


def test_a_page_says_who_and_what_it_is():
    found = page(FULL)
    assert found[:8] == (
        "The title",
        "More words",
        "https://alice.example/i.png",
        "Alice",
        "",
        "en-GB",
        "Site",
        "https://alice.example/blog/post",
    )
    assert found.feeds == ("https://alice.example/feed.xml",)
    assert found.oembeds == ("https://alice.example/oembed?url=x",)
    assert found.payments == ("https://nod.example.org/nod?url=x", "https://alice.example/blog/pay")
    assert found.mes == ("https://social.example/@alice", "https://code.example/alice")
    assert found.owners == ("token-1",)
    assert [(fact.type, fact.name, fact.author) for fact in found.facts] == [
        ("WebSite", "Site", ""),
        ("Article", "LD title", "Alice A."),
    ]
    assert found.facts[1].image == "https://alice.example/blog/ld.png"
    assert found.facts[1].url == "https://alice.example/ld"


def test_a_page_that_says_little_is_read_for_what_it_has():
    assert page("<title> Only\n a  title </title>").title == "Only a title"
    assert page("") == Reading()
    ld = '{"@type":"Article","headline":"H","author":"A","inLanguage":"de","image":"/x.png"}'
    found = page(f'<script type="application/ld+json">{ld}</script>')
    assert (found.title, found.author, found.language) == ("H", "A", "de")
    assert found.image == "https://alice.example/x.png"
    site = '{"@type":"WebSite","name":"Site"}'
    assert page(f"<title>T</title><script type=application/ld+json>{site}</script>").title == "T"
    assert page('<meta property="og:locale" content="pt_BR">').language == "pt-BR"
    assert page('<meta property="og:url" content="/p">').canonical == "https://alice.example/p"


@pytest.mark.parametrize(
    ("header", "mes", "oembeds"),
    [
        ("</me>; rel=me", ("https://alice.example/me",), ()),
        ('<https://a.example/>; title="a, <b>; rel=me"; rel="me"', ("https://a.example/",), ()),
        (r'<https://a.example/>; title="\", <https://b.example/>; rel=me"', (), ()),
        (
            "</o?f>; rel=alternate; type=application/json+oembed",
            (),
            ("https://alice.example/o?f",),
        ),
        ('</a>; REL="ME author", </b>; rel=me; rel=x', ("/a", "/b"), ()),
        ("</a>; rel=ugc; rel=me", (), ()),
        ("</a>; rel", (), ()),
        ("</a", (), ()),
        ("<" * 4000 + ">" * 4000 + ";" * 2000, (), ()),
        ('<a>"' * 2500, (), ()),
    ],
)
def test_links_beside_a_page_count_like_those_in_its_head(header, mes, oembeds):
    found = reading.read('<base href="/b/">', url=URL, type="text/html", links=header)
    assert found.mes == tuple("https://alice.example" * (me[0] == "/") + me for me in mes)
    assert found.oembeds == oembeds


def test_the_base_of_a_page_counts_once():
    found = page('<base href="/a/"><base href="https://evil.example/"><link rel=me href=b>')
    assert found.mes == ("https://alice.example/a/b",)


@pytest.mark.parametrize(
    "around",
    [
        "<!-- {} -->",
        "<textarea>{}</textarea>",
        "<title>{}</title>",
        "<script>{}</script>",
        "<script><!--<script></script>{}</script>",
        "<style>{}</style>",
        "<noscript>{}</noscript>",
        "<template>{}</template>",
        "<template><template></template>{}</template>",
        "<iframe>{}</iframe>",
        "<xmp>{}</xmp>",
        "<svg>{}</svg>",
        "<math>{}</math>",
        "<object>{}</object>",
        "<p title='{}'>",
        "<plaintext>{}",
        "&lt;x&gt; {0:.0s}",
    ],
)
def test_what_is_no_part_of_the_page_proves_nothing(around):
    proof = (
        '<meta name="mickle:owner" content="x"><a rel=me href=//e.example><link rel=payment href=x>'
    )
    assert page(proof).owners == ("x",)
    found = page(f"<html><head>{around.format(proof)}</head>")
    assert (found.owners, found.mes, found.payments) == ((), (), ())


def test_an_owner_is_said_in_the_head_only():
    assert page('<body><p>A comment: <meta name="mickle:owner" content="x">').owners == ()


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:a@b.example",
        "https://user:pass@b.example/",
        "http://[::1",
        "https://b.example/" + "x" * 2000,
        "",
        "  ",
    ],
)
def test_a_link_that_leads_to_no_page_is_left_out(href):
    found = page(
        f'<link rel="me payment canonical" href="{href}"><meta name="og:image" content="{href}">'
    )
    assert (found.mes, found.payments, found.canonical, found.image) == ((), (), "", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb\u2066c\u200b\ufeffd\u00ade", "abcde"),
        ("a\x00b\x1b[31mc\x85d\u2028e", "a b [31mc d e"),
        ("می\u200cخواهم 👨\u200d👩", "می\u200cخواهم 👨\u200d👩"),
        ("\U000e0041\ud800\ue000x", "x"),
        ("  \n\t ", ""),
        ("x" * 999, "x" * 300),
        (None, ""),
        (5, ""),
    ],
)
def test_texts_are_plain_and_short(text, shown):
    assert plain(text) == shown


RSS = """<?xml version="1.0" encoding="ISO-8859-1"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:podcast="https://podcastindex.org/namespace/1.0"
 xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">
<channel><title>A show</title><link>https://alice.example/</link>
<description>About &amp;c</description>
<language>en_us</language><itunes:author>Alice</itunes:author>
<image><url>/cover.png</url><title>No title</title><link>https://no.example/</link></image>
<atom:link rel="self" href="/feed.xml"/><atom:link rel="payment" href="https://nod.example.org/a"/>
<podcast:funding url="https://nod.example.org/b">Give  here</podcast:funding>
<item><guid isPermaLink="false">one</guid><link>/one</link><title>One</title>
<atom:link rel="payment" href="/pay"/></item>
<item><title><![CDATA[Two <b>]]></title><guid>https://alice.example/two</guid>
<podcast:funding url="/fund">Two</podcast:funding></item>
</channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title type="html">Titel</title>
<link rel="self" href="/atom.xml"/><link href="/"/><author><name>Alice</name></author>
<link rel="payment" type="text/html" href="https://nod.example.org/a"/><logo>l.png</logo>
<entry><id>tag:alice,1</id><title>Eins</title><link rel="alternate" href="/1"/>
<source><title>other</title><id>x</id></source></entry></feed>"""


def test_a_feed_says_what_it_is_of_and_how_to_give():
    found = feed(RSS)
    assert (found.title, found.home, found.description) == (
        "A show",
        "https://alice.example/",
        "About &c",
    )
    assert (found.language, found.author) == ("en-us", "Alice")
    assert found.image == "https://alice.example/cover.png"
    assert found.payments == ("https://nod.example.org/a",)
    assert found.fundings == (Funding("https://nod.example.org/b", "Give here"),)
    assert found.items == (
        Item("one", "https://alice.example/one", "One", ("https://alice.example/pay",)),
        Item(
            "https://alice.example/two",
            "",
            "Two <b>",
            (),
            (Funding("https://alice.example/fund", "Two"),),
        ),
    )


def test_an_atom_feed_is_read_as_well():
    found = feed(ATOM, "application/atom+xml")
    assert (found.title, found.home, found.author) == ("Titel", "https://alice.example/", "Alice")
    assert (found.language, found.image) == ("de", "https://alice.example/l.png")
    assert found.payments == ("https://nod.example.org/a",)
    assert found.items == (Item("tag:alice,1", "https://alice.example/1", "Eins"),)


def test_a_json_feed_and_an_oembed_answer_are_read():
    text = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "T",
        "home_page_url": "/",
        "authors": [{"name": "Alice", "url": "https://alice.example/me"}],
        "items": [{"id": "1", "url": "/1", "title": "One"}, 5, {"id": 2}],
    }
    found = feed(json.dumps(text), "application/feed+json")
    assert (found.title, found.home, found.author) == ("T", "https://alice.example/", "Alice")
    assert found.items == (Item("1", "https://alice.example/1", "One"), Item("", "", ""))
    text = {"version": "1.0", "type": "video", "title": "V", "author_url": "https://v.example/a"}
    assert feed(json.dumps(text), "application/json").author_url == "https://v.example/a"
    assert feed('{"a": 1}', "application/json") == Reading()
    assert feed("[1]", "application/json") == Reading()


def test_a_feed_sent_as_a_page_and_a_page_sent_as_xml_are_seen_through():
    assert reading.read(RSS, url=URL, type="text/html").items
    assert reading.read(FULL, url=URL, type="application/xml").owners == ("token-1",)
    assert reading.read(FULL, url=URL, type="text/plain") == Reading()
    assert reading.read("a: b", url=URL, type="application/yaml") == Reading()


def test_nothing_is_loaded_and_nothing_grows_by_what_a_feed_defines(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    laughs = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(30))
    text = (
        f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY a0 "ha">{laughs}]>'
        "<rss><channel><title>&x;!</title><description>&a30;</description></channel></rss>"
    )
    found = feed(text)
    assert "SECRET" not in str(found)
    assert len(str(found)) < 3000


MEBIBYTE = 1 << 20
HOSTILE = {
    "formatting": "".join(f"<b x{n}>" for n in range(20_000)) + "<p>" * 250_000,
    "depth": "<div>" * (MEBIBYTE // 5),
    "links": "".join(f'<a rel="me payment" href="/{n}">x</a>' for n in range(10_000)),
    "heads": "".join(
        f'<link rel="alternate me" type="application/rss+xml" href="{n}">' for n in range(9999)
    ),
    "metas": "".join(f'<meta name="n{n}" content="x">' for n in range(30_000)),
    "owners": '<meta name="mickle:owner" content="x1">' * 20_000,
    "attributes": "<p " + "".join(f"a{n}=1 " for n in range(100_000)) + ">",
    "one attribute": f'<meta name="description" content="{"x" * MEBIBYTE}">',
    "open tags": "<" * MEBIBYTE,
    "comments": "<!--" * (MEBIBYTE // 4),
    "scripts": "<script type=application/ld+json>{}</script>" * 20_000,
    "nested JSON": f"<script type=application/ld+json>{'[' * 99_000}</script>",
    "nested facts": "<script type=application/ld+json>" + '[{"@graph":' * 9_000 + "</script>",
    "many facts": "<script type=application/ld+json>["
    + '{"@type":"A"},' * 7_000
    + '{"@type":"A"}]</script>',
    "number": f"<script type=application/ld+json>{'9' * 90_000}</script>",
    "title": f"<title>{'x' * MEBIBYTE}",
    "entities": "<title>" + "&amp;" * 200_000,
    "tables": "<table>" * 150_000,
    "nulls": "\x00" * MEBIBYTE,
    "templates": "<template>" * 100_000,
    "items": "<rss><channel>" + "<item><guid>1</guid></item>" * 38_000,
    "xml depth": "<rss>" + "<a>" * 300_000,
    "feed links": "<rss><channel>" + '<link rel="payment" href="x"/>' * 30_000,
    "fundings": '<rss xmlns:p="https://podcastindex.org/namespace/1.0"><channel>'
    + '<p:funding url="x">y</p:funding>' * 30_000,
    "joined": "<title>" + "a\u0301" * 99_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["text/html", "text/xml", "application/json"])
def test_hostile_pages_give_a_bounded_answer(name, kind):
    found = reading.read(HOSTILE[name], url=URL, type=kind)
    bounded(found)
    assert len(repr(found)) < 500_000


def bounded(found: Reading) -> None:
    """Few, short, plain."""
    for links in (found.feeds, found.payments, found.mes, found.owners, found.oembeds):
        assert len(links) <= LINKS
    assert len(found.items) <= ITEMS
    assert len(found.facts) <= FACTS
    for text in (*found[:9], *found.mes, *(item.title for item in found.items)):
        assert len(text) <= 2_000
        for sign in text:
            assert unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp")
            assert sign not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"


_PIECES = """
<title> </title> <meta name= property= content= og:title mickle:owner <link rel= href= me payment
canonical <script type="application/ld+json"> </script> {"@type": [ ] } " ' > /> <!-- --> <![CDATA[
]]> <!DOCTYPE <?xml encoding= <rss> <channel> <item> </item> <feed <entry> xmlns: & &amp; &#x0; &#
&#xD800; &#1114112; \\u0000 \x00 \u202e \ud800 \U0001f468 https:// // :// %00 [::1] <base <template>
</template> <svg> <a <b> NaN 1e999 -0 null <podcast:funding url= \ufffe <plaintext> lang= 9999999999
"""
PIECES = _PIECES.split()


def test_whatever_is_mutated_nothing_crashes():
    seed = random.randrange(1 << 32)
    drawn = random.Random(seed)
    kinds = ("text/html", "text/xml", "application/json", "application/feed+json", "text/plain")
    whole = [FULL, RSS, ATOM, *(text[:3000] for text in HOSTILE.values())]
    for turn in range(1_500):
        text = drawn.choice(whole)
        for _change in range(drawn.randrange(1, 12)):
            at, to = sorted(drawn.randrange(len(text) + 1) for _end in "ab")
            to = min(to, at + drawn.randrange(40))
            piece = drawn.choice(
                [drawn.choice(PIECES), chr(drawn.randrange(0x300)), text[at:to] * 3]
            )
            text = text[:at] + piece + text[to:]
        try:
            bounded(reading.read(text, url=URL, type=kinds[turn % len(kinds)]))
        except Exception as error:  # pragma: no cover - says how to see it again
            raise AssertionError(f"seed {seed}, turn {turn}: {text!r}") from error


def test_a_letter_that_is_none_ends_a_feed_and_nothing_else():
    found = feed("<rss><channel><title>T</title><guid>&#xD800;x</guid></channel></rss>")
    assert found.title == "T"


def test_whatever_bytes_come_nothing_crashes():
    seed = random.randrange(1 << 32)
    drawn = random.Random(seed)
    for turn in range(1_000):
        data = drawn.randbytes(drawn.randrange(2_000))
        text = data.decode(drawn.choice(["utf-8", "latin-1", "utf-16"]), "replace")
        for kind in ("text/html", "text/xml", "application/json"):
            try:
                bounded(reading.read(text, url=URL, type=kind))
            except Exception as error:  # pragma: no cover - says how to see it again
                raise AssertionError(f"seed {seed}, turn {turn}: {text!r}") from error


def test_links_cost_no_more_than_they_are_worth(monkeypatch):
    counted = []
    whole = _reading_found.link
    monkeypatch.setattr("mickle.lib._reading_page.link", lambda *a: counted.append(1) or whole(*a))
    page(HOSTILE["links"])
    assert len(counted) <= 10 * LINKS
