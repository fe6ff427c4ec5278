"""The button as text for other places, in each place's own syntax and escaping. Pure."""

import json
import re
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from django.utils.translation import gettext as _

# podcast:funding allows 128 characters in all.
TITLE_AT_MOST = 100
SHIELDS = "https://img.shields.io/endpoint"
WIDTH, HEIGHT = 160, 36

# Embeddings, overrides and isolates would turn the code of the snippet round, too.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
# Whatever Markdown, AsciiDoc or MediaWiki could read as more than a letter; a colon before a space
# is none.
_MARKUP = re.compile(r"--|:(?! )|[^\w\s:.,!?-]|_", re.ASCII)


@dataclass(frozen=True)
class Facts:
    """What a snippet can say; origins without a slash at their end."""

    pages: str
    button: str
    url: str
    thing_id: int
    title: str = ""
    by: str = ""
    language: str = "en"

    @property
    def nod(self) -> str:
        """The address that every button opens."""
        by = f"&by={percent(self.by)}" if self.by else ""
        return f"{self.pages}/nod?url={percent(self.url)}{by}"

    @property
    def badge(self) -> str:
        """The drawn button with its count."""
        return f"{self.button}/b/count.svg?id={self.thing_id}{self._lang}"

    @property
    def frame(self) -> str:
        """The button that takes a click where it stands."""
        return f"{self.button}/b/frame?url={percent(self.url)}{self._lang}"

    @property
    def shield(self) -> str:
        """The count as shields.io draws it."""
        asked = f"{self.button}/b/shields.json?id={self.thing_id}{self._lang}"
        return f"{SHIELDS}?url={percent(asked)}"

    @property
    def label(self) -> str:
        """What the button does, with the title of the page where it has one."""
        title = " ".join(_CONTROL.sub(" ", _DIRECTION.sub("", self.title)).split())
        if not title:
            return _("Nod at this")
        if len(title) > TITLE_AT_MOST:
            title = title[: TITLE_AT_MOST - 1].rstrip() + "…"
        return _("Nod at %(title)s") % {"title": title}

    @property
    def _lang(self) -> str:
        return "" if self.language == "en" else f"&lang={percent(self.language)}"


@dataclass(frozen=True)
class Snippet:
    """Text to be pasted at a kind of place; the hint says when to take it."""

    place: str
    label: str
    text: str
    hint: str


def percent(text: str) -> str:
    """Percent-encoded so far that no syntax finds markup in it: `_`, `~` and `--`, too."""
    return quote(text, safe="").translate({95: "%5F", 126: "%7E"}).replace("--", "%2D%2D")


def referenced(text: str) -> str:
    """Plain text for Markdown, AsciiDoc and MediaWiki, which all read `&#93;` as a letter."""
    return _MARKUP.sub(lambda found: "".join(_reference(sign) for sign in found[0]), text)


def _reference(sign: str) -> str:
    return f"&#{ord(sign)};" if sign.isascii() else sign


def all_of(facts: Facts) -> list[Snippet]:
    """Every snippet, those of one place beside one another."""
    return [*_web(facts), *_texts(facts), *_feeds(facts), *_software(facts), *_mail(facts)]


def _web(facts: Facts) -> list[Snippet]:
    place = _("On a web page")
    opening = f'<a href="{escape(facts.nod)}"\n   rel="payment nofollow" target="_blank">'
    picture = (
        f'{opening}\n  <img src="{escape(facts.badge)}"\n'
        f'       width="{WIDTH}" height="{HEIGHT}" alt="{escape(facts.label)}"></a>'
    )
    frame = (
        f'<iframe src="{escape(facts.frame)}"\n        title="{escape(facts.label)}"'
        f' width="{WIDTH}" height="{HEIGHT}"\n        loading="lazy" referrerpolicy="origin"'
        ' style="border:0;color-scheme:light"></iframe>'
    )
    return [
        Snippet(
            place,
            _("Link"),
            f"{opening}{escape(_('Nod at this'))}</a>",
            _("Works everywhere, also in a feed reader, a mail or a PDF."),
        ),
        Snippet(place, _("Picture with count"), picture, _("One picture, no script, no cookie.")),
        Snippet(
            place,
            _("Element"),
            _element(facts, opening),
            _("One click and a live count. The script once a page, however many buttons."),
        ),
        Snippet(
            place,
            _("Frame"),
            frame,
            _("One click and a live count where a page may not load scripts."),
        ),
    ]


def _element(facts: Facts, opening: str) -> str:
    """The script and the element; the link inside stands there where the script cannot run."""
    lang = "" if facts.language == "en" else f' lang="{escape(facts.language)}"'
    apart = "" if facts.button == facts.pages else f' data-pages="{escape(facts.pages)}"'
    return (
        f'<script async src="{escape(facts.button)}/b/b.js"{apart}></script>\n'
        f'<mickle-button url="{escape(facts.url)}"{lang}>{opening}{escape(_("Nod at this"))}</a>'
        "</mickle-button>"
    )


def _texts(facts: Facts) -> list[Snippet]:
    place = _("In a README, wiki or forum")
    label = referenced(facts.label)
    restructured = f".. image:: {facts.badge}\n   :alt: {facts.label}\n   :target: {facts.nod}"
    # Two hyphens in a host (IDN) would become a dash, so they are written as references.
    badge, nod = (address.replace("--", "&#45;&#45;") for address in (facts.badge, facts.nod))
    asciidoc = f'image:{badge}["{label}",{WIDTH},{HEIGHT},link="{nod}",window=_blank]'
    return [
        Snippet(
            place,
            "Markdown",
            f"[![{label}]({facts.badge})]({facts.nod})",
            _("GitHub, GitLab, Codeberg, most blogs and forums."),
        ),
        Snippet(
            place,
            "Markdown, shields.io",
            f"[![{label}]({facts.shield})]({facts.nod})",
            _("In a row with other badges; shields.io asks here for the count."),
        ),
        Snippet(place, "reStructuredText", restructured, _("Sphinx, PyPI.")),
        Snippet(place, "AsciiDoc", asciidoc, _("Asciidoctor, Antora.")),
        Snippet(
            place,
            _("Wiki text"),
            f"[{facts.nod} {label}]",
            _("MediaWiki. Most wikis show no pictures of other sites, so this is the link."),
        ),
        Snippet(
            place,
            "BBCode",
            f"[url={facts.nod}][img]{facts.badge}[/img][/url]",
            _("Forums such as phpBB."),
        ),
    ]


def _feeds(facts: Facts) -> list[Snippet]:
    place = _("In a feed or podcast")
    link = (
        f'rel="payment" type="text/html"\n  title="{escape(facts.label)}"'
        f'\n  href="{escape(facts.nod)}"/>'
    )
    podcast = (
        '<podcast:funding xmlns:podcast="https://podcastindex.org/namespace/1.0"\n'
        f'  url="{escape(facts.nod)}">{escape(facts.label)}</podcast:funding>'
    )
    return [
        Snippet(place, "Atom", f"<link {link}", _("Inside <feed> or <entry>.")),
        Snippet(
            place,
            "RSS",
            f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom"\n  {link}',
            _("Inside <channel> or <item>."),
        ),
        Snippet(place, "Podcast", podcast, _("Inside <channel> of a podcast's feed.")),
    ]


def _software(facts: Facts) -> list[Snippet]:
    place = _("With software")
    address = json.dumps(facts.nod)
    return [
        Snippet(place, "GitHub", f"custom: [{address}]", _("A line of .github/FUNDING.yml.")),
        Snippet(place, "npm", f'"funding": {address}', _("A line of package.json.")),
        Snippet(
            place,
            "PyPI",
            f"[project.urls]\nFunding = {address}",
            _("Lines of pyproject.toml; PyPI shows the link beside the project."),
        ),
    ]


def _mail(facts: Facts) -> list[Snippet]:
    return [
        Snippet(
            _("In mail and print"),
            _("E-mail signature"),
            # In angle brackets an address is found whole, however a mail program breaks it.
            f"{facts.label}\n<{facts.nod}>",
            _("Plain text, so that every mail program shows it."),
        )
    ]
