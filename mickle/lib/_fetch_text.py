"""What came over the wire as text: of a kind that is read, unpacked within limits, decoded."""

import codecs
import re
import zlib
from collections.abc import Iterable, Iterator

from mickle.lib._fetch_said import failure

ACCEPT = (
    "text/html,application/xhtml+xml,application/rss+xml,application/atom+xml,application/json,"
    "text/xml;q=0.9,text/plain;q=0.8,application/yaml;q=0.8"
)
# Alone in that its output can be held back at any byte with what Python brings.
ACCEPT_ENCODING = "gzip"

_KINDS = """
text/html application/xhtml+xml application/json text/json application/rss+xml
application/atom+xml application/xml text/xml text/plain application/yaml text/yaml
application/x-yaml text/x-yaml
"""
_TYPES = frozenset(_KINDS.split())
_PACKED = frozenset({"gzip", "x-gzip"})

# What browsers understand (encoding.spec.whatwg.org); Python has others, some of them slow.
_UNDERSTOOD = """
utf-8 utf-16-le utf-16-be utf-16 cp866 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6
iso8859-7 iso8859-8 iso8859-10 iso8859-13 iso8859-14 iso8859-15 iso8859-16 koi8-r koi8-u
mac-roman cp874 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258
mac-cyrillic gbk gb18030 big5 big5hkscs euc_jp iso2022_jp shift_jis cp932 euc_kr
cp949
"""
_CHARSETS = frozenset(_UNDERSTOOD.split())
# Pages that say one of these mean the larger one, as browsers do.
_MEANT = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gbk"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WITHIN_BYTES = 1024
_DECLARED = re.compile(rb"""(?:charset|encoding)\s{0,9}=\s{0,9}["']?([A-Za-z0-9_:.+-]{1,40})""")


def checked_type(header: str, host: str) -> str:
    """The type without parameters, in small letters; raises Forbidden for one that is not read."""
    kind = header.partition(";")[0].strip().lower()
    if kind in _TYPES or re.fullmatch(r"application/[a-z0-9.\-]{1,60}\+json", kind):
        return kind
    shown = "".join(c for c in kind[:80] if c.isprintable())
    raise failure("type", host=host, type=shown or "?")


def charset_in(header: str) -> str:
    """The charset that a Content-Type names."""
    found = re.search(
        r"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_:.+-]{1,40})", header, re.IGNORECASE
    )
    return found[1] if found else ""


def unpacked(parts: Iterable[bytes], encoding: str, most: int, host: str) -> tuple[bytes, bool]:
    """The first bytes of a body, and whether more would have come."""
    packing = encoding.strip().lower()
    if packing in _PACKED:
        parts = _gunzipped(parts, most, host)
    elif packing not in ("", "identity"):
        raise failure("encoding", host=host)
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > most:
            return bytes(body[:most]), True
    return bytes(body), False


def _gunzipped(parts: Iterable[bytes], most: int, host: str) -> Iterator[bytes]:
    """The content of one or several gzip members, in pieces of bounded size."""
    unzip = zlib.decompressobj(wbits=31)
    try:
        for part in parts:
            data = part
            while data:
                if unzip.eof:
                    unzip = zlib.decompressobj(wbits=31)
                yield unzip.decompress(data, most + 1)
                data = unzip.unconsumed_tail or unzip.unused_data
    except zlib.error:
        raise failure("broken", host=host) from None
    if not unzip.eof:
        raise failure("broken", host=host)


def decoded(body: bytes, charset: str) -> str:
    """The text, whatever it says about itself; letters that cannot be read become U+FFFD."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    declared = _DECLARED.search(body[:_WITHIN_BYTES])
    within = declared[1].decode("ascii") if declared else ""
    # What is read as bytes to be found in cannot be in two bytes a letter.
    within = "" if within.lower().startswith("utf-16") else within
    for name in filter(None, (_known(charset), _known(within))):
        return body.decode(name, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        # A letter in two at the end was cut there; any other is of no UTF-8.
        cut = error.reason == "unexpected end of data"
        return body.decode("utf-8" if cut else "cp1252", "replace")


def _known(label: str) -> str:
    try:
        name = codecs.lookup(label).name if label else ""
    except LookupError:
        return ""
    name = _MEANT.get(name, name)
    return name if name in _CHARSETS else ""
