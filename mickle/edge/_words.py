"""What a button says, in the languages it speaks. Pure."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from babel import Locale


class Words(NamedTuple):
    """The word on a button in each state, what it is called aloud, and how counts are written.

    `nouns` has one form for each plural of the language; `other` is always there.
    """

    label: str
    nodded: str
    own: str
    deed: str
    done: str
    point: str
    nouns: Mapping[str, str]
    right_to_left: bool = False

    def word(self, state: str) -> str:
        """The word that is drawn."""
        return {"nodded": self.nodded, "own": self.own}.get(state, self.label)

    def aloud(self, state: str) -> str:
        """What the state is called for the ear, where one drawn word serves two states."""
        return {"nodded": self.done, "own": self.own}.get(state, self.deed)

    def noun(self, language: str, count: int) -> str:
        """The noun behind a count."""
        return self.nouns.get(_plural(language)(count), self.nouns["other"])


@cache
def _plural(language: str) -> Callable[[int], str]:
    """The rule of a language: "one", "few", "other" of a number."""
    return Locale(language).plural_form


WORDS = {
    "en": Words("Nod", "Nodded", "Yours", "Nod", "Nodded", ".", {"one": "nod", "other": "nods"}),
    "de": Words("Danke", "Danke", "Deins", "Danke sagen", "Danke gesagt", ",", {"other": "Danke"}),
    "ar": Words(
        "شكرا",
        "شكرا",
        "لك",
        "قل شكرا",
        "قلت شكرا",
        ".",
        {"two": "كلمتا شكر", "few": "كلمات شكر", "other": "كلمة شكر"},
        right_to_left=True,
    ),
    "fr": Words(
        *("Merci", "Merci", "À vous", "Dire merci", "Merci, c’est dit", ","),
        {"one": "merci", "other": "mercis"},
    ),
    "es": Words(
        *("Gracias", "Gracias", "Tuyo", "Dar las gracias", "Gracias dadas", ","),
        {"other": "gracias"},
    ),
    "sv": Words("Tack", "Tack", "Ditt", "Säg tack", "Tack sagt", ",", {"other": "tack"}),
}
