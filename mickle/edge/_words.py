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


def why(language: str) -> Mapping[str, str]:
    """Why a click was refused, by reason, where the answer's own English is not enough."""
    return _WHY.get(language, {})


@cache
def _plural(language: str) -> Callable[[int], str]:
    """The rule of a language: "one", "few", "other" of a number."""
    return Locale(language).plural_form


# What is said of a click that was refused though there is a pass, by reason; in English the answer
# says it.
_WHY = {
    "de": {
        "refused": "Hier ist kein Danke gewünscht, oder die Seite wurde entfernt. Nichts vermerkt.",
        "leaving": "Dieses Konto wird geschlossen. Es wurde nichts vermerkt.",
        "limit": "Das war oft in kurzer Zeit. Es wurde nichts vermerkt; versuch es später wieder.",
        "later": "Gerade ist zu viel los. Es wurde nichts vermerkt; versuch es gleich noch einmal.",
    },
    "ar": {
        "refused": "صاحب الصفحة لا يريد الشكر، أو أزيلت. لم يسجل شيء.",
        "leaving": "هذا الحساب قيد الإغلاق. لم يسجل شيء.",
        "limit": "هذا كثير في وقت قصير. لم يسجل شيء؛ حاول لاحقا.",
        "later": "الضغط كبير الآن. لم يسجل شيء؛ حاول بعد لحظة.",
    },
    "fr": {
        "refused": "Ici on ne veut pas de merci, ou la page a été retirée. Rien n’a été noté.",
        "leaving": "Ce compte est en cours de fermeture. Rien n’a été noté.",
        "limit": "C’est beaucoup en peu de temps. Rien n’a été noté ; réessayez plus tard.",
        "later": "Il y a trop de monde. Rien n’a été noté ; réessayez dans un instant.",
    },
    "es": {
        "refused": "Aquí no se quieren gracias, o la página fue retirada. No se anotó nada.",
        "leaving": "Esta cuenta se está cerrando. No se anotó nada.",
        "limit": "Son muchas en poco tiempo. No se anotó nada; inténtalo más tarde.",
        "later": "Hay demasiado movimiento. No se anotó nada; inténtalo en un momento.",
    },
    "sv": {
        "refused": "Här önskas inga tack, eller så har sidan tagits bort. Inget noterades.",
        "leaving": "Kontot håller på att stängas. Inget noterades.",
        "limit": "Det var många på kort tid. Inget noterades; försök igen senare.",
        "later": "Det är för mycket på gång. Inget noterades; försök igen om en stund.",
    },
}

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
