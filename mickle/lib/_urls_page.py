"""A web address in parts, after the parser: what the rules of single sites work on."""

import re
from typing import NamedTuple

# Unreserved characters mean the same escaped or not; every other escape stays, in capitals. What
# RFC 3986 allows nowhere raw (a stray percent sign too) can only mean its escape.
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ODD = re.compile(r"%(?:[0-9A-Fa-f]{2})?|[\[\]|^`{}\\]")

# Names that say where a visitor came from and never what they see. Short names that some site
# uses for something real (ref, s, t, source, mc) are no matter for a list that holds everywhere.
_TRACKING_NAMES = """
__hsfp __hssc __hstc __s _bta_c _bta_tid _ga _gl _hsenc _hsmi _openstat aspsessionid dclid
epik fbclid gad_campaignid gad_source gbraid gclid gclsrc guce_referrer guce_referrer_sig
guccounter hsctatracking igsh igshid jsessionid li_fat_id mc_cid mc_eid mkt_tok ml_subscriber
ml_subscriber_hash msclkid mtm_campaign mtm_cid mtm_content mtm_group mtm_keyword mtm_kwd
mtm_medium mtm_placement mtm_source oly_anon_id oly_enc_id phpsessid piwik_campaign
piwik_keyword piwik_kwd pk_campaign pk_cid pk_content pk_keyword pk_kwd pk_medium pk_source
rb_clickid srsltid ttclid twclid vero_conv vero_id wbraid wickedid yclid ysclid
"""
_TRACKING = frozenset(_TRACKING_NAMES.split())


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
        """The first value of a parameter as it stands in the address, or the empty text."""
        start = name + "="
        return next((pair[len(start) :] for pair in self.pairs if pair.startswith(start)), "")

    def only(self, *names: str) -> "Page":
        """The page with these parameters and no others."""
        kept = tuple(pair for pair in self.pairs if pair.partition("=")[0] in names)
        return self._replace(pairs=kept, route="")

    def without(self, *names: str) -> "Page":
        """The page without these parameters."""
        kept = tuple(pair for pair in self.pairs if pair.partition("=")[0] not in names)
        return self._replace(pairs=kept)

    def text(self) -> str:
        """Host, path, query and route in one; the same for every order of different parameters."""
        text = self.host + (self.path.rstrip("/") or "/")
        if self.pairs:
            # The sort is stable: the order of values under one name means something.
            text += "?" + "&".join(sorted(self.pairs, key=_name))
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
    return tuple(pair for pair in unescaped(query).split("&") if pair and not _tracks(pair))


def _tracks(pair: str) -> bool:
    name = pair.partition("=")[0].lower()
    return name in _TRACKING or name.startswith("utm_")


def route_of(fragment: str) -> str:
    """The fragment if it names a page of its own (`#/doc/1`, `#!/doc/1`), else the empty text."""
    if fragment[:1] not in ("/", "!") or fragment in ("/", "!", "!/"):
        return ""
    return unescaped(fragment)
