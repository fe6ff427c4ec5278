"""Why something was not read: each reason with its sentence and how long it is remembered."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mickle.lib.errors import Refused

_MINUTES, _HOUR, _DAY = 600, 3_600, 86_400


class Failed(Refused):
    """Nothing was read; `code` names the reason for programs, `facts` what its sentence holds."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(str(REASONS[code].sentence % facts))
        self.code = code
        self.facts = facts


class Forbidden(Failed):
    """A rule refuses it, and will refuse it again."""


class Unreachable(Failed):
    """It could not be read now; a later try may succeed."""


class Unasked(Unreachable):
    """It says nothing about the page: others are asking the host, or it wants to be left alone."""


class Reason(NamedTuple):
    """What is raised, for how many seconds it holds, and what people are told."""

    kind: type[Failed]
    keep_s: int
    sentence: Promise


# What is refused after an answer came is kept as long as an answer, or it would be fetched again.
REASONS = {
    "url": Reason(
        Forbidden,
        _HOUR,
        _("“%(url)s” is not the address of a web page. Nothing was read; give one with https://."),
    ),
    "userinfo": Reason(
        Forbidden,
        _HOUR,
        _("The address has a name or password before %(host)s. Nothing was read; leave it out."),
    ),
    "port": Reason(
        Forbidden,
        _HOUR,
        _("%(host)s is asked for at a port that is not read. Nothing was read; use 80 or 443."),
    ),
    "name": Reason(
        Forbidden,
        _HOUR,
        _("%(host)s is a name of local networks only. Nothing was read; use a public one."),
    ),
    "address": Reason(
        Forbidden,
        _HOUR,
        _("%(host)s is not on the public net. Nothing was read; use a page that everybody sees."),
    ),
    "peer": Reason(
        Forbidden,
        _HOUR,
        _("Somebody else answered in the place of %(host)s. Nothing was read; try another page."),
    ),
    "redirects": Reason(
        Forbidden,
        _DAY,
        _("%(host)s sends on too often. Nothing was read; give the address of the page itself."),
    ),
    "type": Reason(
        Forbidden,
        _DAY,
        _(
            "%(host)s answered with “%(type)s”. Nothing was read; pages, feeds, JSON, YAML and "
            "plain text are."
        ),
    ),
    "encoding": Reason(
        Forbidden,
        _DAY,
        _("%(host)s packed its answer as nobody asked. Nothing was read; gzip could be read."),
    ),
    "large": Reason(
        Forbidden,
        _DAY,
        _("%(host)s sent more than is read. Nothing was kept; use a smaller page."),
    ),
    "robots": Reason(
        Forbidden,
        _HOUR,
        _("The robots.txt of %(host)s asks programs to stay away. Nothing was read."),
    ),
    "plain": Reason(
        Forbidden,
        0,
        _("%(host)s would be told a secret without encryption. Nothing was sent."),
    ),
    "moved": Reason(
        Forbidden,
        0,
        _("%(host)s sends programs on to another address. Nothing was sent there."),
    ),
    "no_name": Reason(
        Unreachable,
        _MINUTES,
        _("There is no host %(host)s. Nothing was read; check the spelling or try later."),
    ),
    "dns": Reason(
        Unreachable,
        _MINUTES,
        _("Nobody could say now where %(host)s is. Nothing was lost; try later."),
    ),
    "connect": Reason(
        Unreachable,
        _MINUTES,
        _("%(host)s takes no connections now. Nothing was lost; try later."),
    ),
    "tls": Reason(
        Unreachable,
        _MINUTES,
        _("%(host)s could not prove who it is (TLS). Nothing was read; try when it is repaired."),
    ),
    "slow": Reason(
        Unreachable,
        _MINUTES,
        _("%(host)s took too long. Nothing was lost; try later."),
    ),
    "broken": Reason(
        Unreachable,
        _MINUTES,
        _("The answer of %(host)s broke off or could not be read. Nothing was lost; try later."),
    ),
    "server": Reason(
        Unreachable,
        _MINUTES,
        _("%(host)s has a problem of its own (%(status)s). Nothing was lost; try later."),
    ),
    "limit": Reason(
        Unasked,
        _MINUTES,
        _("%(host)s has been asked too often for now. Nothing was lost; try later."),
    ),
    "later": Reason(
        Unasked,
        0,
        _("%(host)s has asked to be left alone for a while. Nothing was lost; try later."),
    ),
    "busy": Reason(
        Unasked,
        0,
        _("%(host)s is being read by others just now. Nothing was lost; try in a minute."),
    ),
}


def failure(code: str, **facts: str) -> Failed:
    """The exception of a reason."""
    return REASONS[code].kind(code, **facts)
