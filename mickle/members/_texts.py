"""What members say of themselves, fit to stand beside other people's names and figures."""

import re
import unicodedata

# Embeddings, overrides and isolates turn round what follows; marks such as joiners do no harm.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def line(text: str) -> str:
    """One line of plain text."""
    return " ".join(plain(text).split())


def plain(text: str) -> str:
    """Plain text that keeps its lines."""
    shown = _TURNS.sub("", text).replace("\t", " ")
    return "".join(one for one in shown if one == "\n" or unicodedata.category(one) != "Cc")
