"""Links that a server sends beside a page (RFC 8288)."""

import re
from collections.abc import Iterator

# What stands between two addresses are the words about the first; within quotes, which hold what
# readers may have written, nothing is an address.
_LINK = re.compile(r'<([^<>\s]{1,2000})>((?:[^<"]|"(?:[^"\\]|\\.)*"){0,500})')
_WORD = re.compile(
    r';\s{0,9}([A-Za-z*-]{1,20})\s{0,9}=\s{0,9}(?:"((?:[^"\\]|\\.)*)"|([^\s",;]{1,200}))'
)


def links_in(header: str) -> Iterator[dict[str, str]]:
    """Each link as the attributes a `<link>` would have; the first of two equal words counts."""
    for address, words in _LINK.findall(header):
        found = {"href": address}
        for name, quoted, bare in _WORD.findall(words):
            found.setdefault(name.lower(), quoted or bare)
        yield found
