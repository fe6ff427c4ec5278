"""What a button saw of a click: told by the browser, kept for those who look for fraud, no gate.

Four bits and a time in one number: bit 0, the button told something; bit 1, the browser says that
a person clicked (`isTrusted`); bits 2 and 3, nothing covered or faded the button
(IntersectionObserver v2: 0 unknown, 1 hidden, 2 visible); from bit 4 on, tenths of a second the
button was there before.
"""

from typing import NamedTuple

_TOLD, _TRUSTED = 1, 2
_VISIBLE = {None: 0, False: 4, True: 8}
_TENTHS_AT_MOST = 36_000


class Evidence(NamedTuple):
    """What was seen; `visible` None where the browser cannot know, `dwell_ms` in steps of 100."""

    trusted: bool
    visible: bool | None
    dwell_ms: int


def packed(seen: Evidence) -> int:
    """The number that is kept."""
    tenths = min(max(seen.dwell_ms, 0) // 100, _TENTHS_AT_MOST)
    return _TOLD | _TRUSTED * seen.trusted | _VISIBLE[seen.visible] | tenths << 4


def read(number: int) -> Evidence | None:
    """What was seen; None for a nod that told nothing."""
    if not number & _TOLD:
        return None
    visible = {0: None, 4: False}.get(number & 12, True)
    return Evidence(bool(number & _TRUSTED), visible, (number >> 4) * 100)
