"""Lists of words as they are written best: in a row, with spaces between."""


def words(text: str) -> frozenset[str]:
    """The set of the words of a text."""
    return frozenset(text.split())
