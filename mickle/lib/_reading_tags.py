"""The tags of a page or feed in their order, without a tree: what nests or repeats costs nothing.

A tree is what hostile pages grow: formatting that is never closed doubles in it (measured with
one, 4 s for a mebibyte). libxml2 splits a page as HTML 5 says, and hands over each tag.
"""

from collections.abc import Callable

from lxml import etree

TEXT_CHARACTERS = 100_000
# Content of these is no part of what is shown, or belongs to another language.
_ASIDE = frozenset({"template", "noscript", "svg", "math", "iframe", "object"})

Attributes = dict[str, str]
Start = Callable[[str, Attributes], bool]
End = Callable[[str, str], None]


class _Taker:
    """What the parser tells its tags to; text is gathered only within tags asked for."""

    def __init__(self, start: Start, end: End, aside: frozenset[str]) -> None:
        self._start, self._end, self._aside = start, end, aside
        self._hidden = ""
        self._depth = 0
        self._within = ""
        self._parts: list[str] = []
        self._length = 0

    def start(self, tag: str, attributes: Attributes) -> None:
        """A tag began; it may be one whose text is wanted."""
        if self._hidden:
            self._depth += tag == self._hidden
        elif tag in self._aside:
            self._hidden, self._depth = tag, 1
            self._start(tag, dict(attributes))
        elif self._start(tag, dict(attributes)):
            self._within, self._parts, self._length = tag, [], 0

    def end(self, tag: str) -> None:
        """A tag ended."""
        if self._hidden:
            self._depth -= tag == self._hidden
            self._hidden = self._hidden if self._depth else ""
            return
        text = "".join(self._parts) if tag == self._within else ""
        if tag == self._within:
            self._within = ""
        self._end(tag, text)

    def data(self, text: str) -> None:
        """Some text."""
        if self._within and not self._hidden and self._length < TEXT_CHARACTERS:
            self._parts.append(text[: TEXT_CHARACTERS - self._length])
            self._length += len(text)

    def close(self) -> None:
        """The parser is done."""


def of_page(text: str, start: Start, end: End) -> None:
    """Tell the tags of an HTML page, with small names, until it ends or cannot be read further."""
    parser = etree.HTMLParser(target=_Taker(start, end, _ASIDE), encoding="utf-8")
    _feed(parser, text)


def of_xml(text: str, start: Start, end: End) -> None:
    """Tell the tags of XML, as `{namespace}name`; entities are left alone, nothing is loaded."""
    parser = etree.XMLParser(
        target=_Taker(start, end, frozenset()),
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=True,
    )
    _feed(parser, text)


def _feed(parser: etree.XMLParser | etree.HTMLParser, text: str) -> None:
    try:
        parser.feed(text.encode("utf-8", "replace"))
        parser.close()
    except (etree.LxmlError, UnicodeDecodeError):
        # What was told until then is what there is; `&#xD800;` names a letter that is none.
        return
