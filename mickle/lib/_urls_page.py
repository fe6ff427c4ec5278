"""A web address in parts, after the parser: what the rules of single sites work on."""

import re
from typing import NamedTuple

# Unreserved characters mean the same escaped or not; every other escape stays, in capitals. What
# RFC 3986 allows nowhere raw (a stray percent sign too) can only mean its escape.
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_BYTE = re.compile(rb"%([0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"%[0-9a-f]{2}")
_ODD = re.compile(r"%(?:[0-9A-Fa-f]{2})?|[\[\]|^`{}\\]")

# Names that say where a visitor came from and never what they see. Short names that some site
# uses for something real (ref, s, t, source, mc) are no matter for a list that holds everywhere.
_TRACKING_NAMES = """
__hsfp __hssc __hstc __s __twitter_impression _bta_c _bta_tid _branch_match_id
_branch_referrer _ga _gl _hsenc _hsmi _openstat action_object_map action_ref_map
action_type_map aspsessionid at_campaign at_custom1 at_custom2 at_custom3 at_custom4
at_medium ck_subscriber_id dclid dm_i elqtrack elqtrackid epik fb_action_ids
fb_action_types fbclid gad_campaignid gad_source gbraid gclid gclsrc guce_referrer
guce_referrer_sig guccounter hmb_campaign hmb_medium hmb_source hsctatracking igsh igshid
irclickid irgwc itm_campaign itm_medium itm_source jsessionid li_fat_id mc_cid mc_eid
mkt_tok ml_subscriber ml_subscriber_hash msclkid mtm_campaign mtm_cid mtm_content
mtm_group mtm_keyword mtm_kwd mtm_medium mtm_placement mtm_source oly_anon_id oly_enc_id
phpsessid piwik_campaign piwik_keyword piwik_kwd pk_campaign pk_cid pk_content pk_keyword
pk_kwd pk_medium pk_source rb_clickid sccid srsltid trk_contact trk_module trk_msg trk_sid
ttclid twclid vero_conv vero_id wbraid wickedid wt_mc wt_zmc yclid ymclid ysclid
"""
_TRACKING = frozenset(_TRACKING_NAMES.split())

# Programs whose every page stands behind a plain fragment: a chat, a drawing, a letter.
_ROUTED_HOSTS = """
cryptpad.fr excalidraw.com godbolt.org mail.google.com mega.nz plnkr.co web.telegram.org
"""
_ROUTED = frozenset(_ROUTED_HOSTS.split())


class Page(NamedTuple):
    """One page: folded host (with a port that is not the scheme's own), path, pairs, route.

    `pairs` are the query's `name=value` texts in the order given, without tracking; `route` is the
    fragment of a page that draws itself (`/doc/1`, `!/doc/1`), else empty.
    """

    host: str
    path: str
    pairs: tuple[str, ...] = ()
    route: str = ""

    def value(self, name: str) -> str:
        """The value of a parameter as it stands in the address; empty unless it stands once."""
        # Of two values some programs read the first, others the last.
        found = [value for key, _, value in (p.partition("=") for p in self.pairs) if key == name]
        return found[0] if len(found) == 1 else ""

    def only(self, *names: str) -> "Page":
        """The page with these parameters and no others."""
        kept = tuple(pair for pair in self.pairs if pair.partition("=")[0] in names)
        return self._replace(pairs=kept, route="")

    def without(self, *names: str) -> "Page":
        """The page without these parameters."""
        if not self.pairs:
            return self
        kept = tuple([pair for pair in self.pairs if pair.partition("=")[0] not in names])
        return Page(self.host, self.path, kept, self.route)

    def at(self, host: str, path: str) -> "Page":
        """What is asked for and the route, at another place."""
        return Page(host, path, self.pairs, self.route)

    def has(self, name: str) -> bool:
        """Whether a parameter stands in the address, with a value or without."""
        return any(pair.partition("=")[0] == name for pair in self.pairs)

    def text(self) -> str:
        """Host, path, query and route in one; the same for every order of different parameters."""
        path, pairs = self.path, self.pairs
        # An empty part before the end (`/a//`) is a name like any other to some programs.
        if path[-1:] == "/" and path[-2:] != "//" and path != "/":
            path = path[:-1]
        text = self.host + path
        if pairs:
            # The sort is stable: the order of values under one name means something.
            text += "?" + "&".join(sorted(pairs, key=_name) if len(pairs) > 1 else pairs)
        return f"{text}#{self.route}" if self.route else text


def _name(pair: str) -> str:
    return pair.partition("=")[0]


def unescaped(text: str) -> str:
    """A part of an address in which each character is written in one way only."""
    return _ODD.sub(_one_form, text)


def _one_form(match: re.Match[str]) -> str:
    found = match[0]
    if len(found) == 1:
        return f"%{ord(found):02X}"
    character = chr(int(found[1:], 16))
    return character if character in _UNRESERVED else found.upper()


def pairs_of(query: str) -> tuple[str, ...]:
    """The pairs of a query without empty ones and without tracking, in the order given."""
    if not query:
        return ()
    return tuple([pair for pair in unescaped(query).split("&") if pair and not _tracks(pair)])


def _tracks(pair: str) -> bool:
    name = pair.partition("=")[0].lower()
    return name in _TRACKING or name[:4] == "utm_"


def spoken(value: str) -> str:
    """What a value of a query says, read as a form is read; empty where that is no UTF-8."""
    try:
        return _BYTE.sub(_byte, value.replace("+", " ").encode()).decode()
    except UnicodeDecodeError:
        return ""


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)])


def escaped(text: str) -> str:
    """Any text as a part of an address, in the one form `unescaped` leaves as it is."""
    letters = (chr(byte) for byte in text.encode("utf-8", "replace"))
    return "".join(letter if letter in _UNRESERVED else f"%{ord(letter):02X}" for letter in letters)


def lowered(text: str) -> str:
    """ASCII letters without capitals; escapes keep theirs, as everywhere in an address."""
    return text.lower() if "%" not in text else _ESCAPE.sub(_capitals, text.lower())


def _capitals(match: re.Match[str]) -> str:
    return match[0].upper()


def route_of(fragment: str, host: str) -> str:
    """The fragment if it names a page of its own (`#/doc/1`, `#!/doc/1`), else the empty text."""
    if fragment[:1] in ("/", "!") and fragment not in ("/", "!", "!/"):
        return unescaped(fragment)
    return unescaped(fragment) if host in _ROUTED else ""
