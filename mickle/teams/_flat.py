"""Teams within teams: who has which part in the end, and that no team is in itself. Pure."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import lcm

Percents = Mapping[int, int]
# Parts of 1/100 four times over still multiply within 64 bits.
LEVELS = 4


class Circle(ValueError):
    """A team would be a part of itself."""


class TooDeep(ValueError):
    """More teams lie in each other than are counted with."""


def parts(team: int, teams: Mapping[int, Percents]) -> dict[int, int]:
    """Each person's part of a team by weight, in whole numbers without a common divisor.

    Who is in it twice has both parts; what a team without anybody would have falls to the rest.
    """
    shares: dict[int, Fraction] = {}
    for person, share in _walk(team, teams, Fraction(1), (team,)):
        shares[person] = shares.get(person, Fraction(0)) + share
    total = sum(shares.values(), Fraction(0))
    if not total:
        return {}
    whole = {person: share / total for person, share in shares.items()}
    common = lcm(*(share.denominator for share in whole.values()))
    return {person: int(share * common) for person, share in sorted(whole.items())}


def _walk(
    team: int, teams: Mapping[int, Percents], share: Fraction, above: tuple[int, ...]
) -> Iterator[tuple[int, Fraction]]:
    if len(above) > LEVELS:
        raise TooDeep
    for party, percent in teams[team].items():
        part = share * percent / 100
        if party not in teams:
            yield party, part
        elif party in above:
            raise Circle
        else:
            yield from _walk(party, teams, part, (*above, party))


def check(edges: Mapping[int, set[int]]) -> None:
    """Raise Circle or TooDeep unless the teams, by the teams in each, can be counted through."""
    for team in edges:
        _descend(team, edges, (team,))


def _descend(team: int, edges: Mapping[int, set[int]], above: tuple[int, ...]) -> None:
    for inner in edges.get(team, ()):
        if inner in above:
            raise Circle
        if len(above) == LEVELS:
            raise TooDeep
        _descend(inner, edges, (*above, inner))


def without(percents: Percents, party: int) -> dict[int, int]:
    """The percents once a party has left: its part goes to the others by theirs, 100 in all.

    Nobody's part becomes smaller; whole percents left over go to the larger parts, then lower ids.
    """
    rest = {one: percent for one, percent in percents.items() if one != party}
    freed, total = 100 - sum(rest.values()), sum(rest.values())
    if not rest:
        return {}
    more = {one: freed * percent // total for one, percent in rest.items()}
    left = freed - sum(more.values())
    for one in sorted(rest, key=lambda one: (-rest[one], one))[:left]:
        more[one] += 1
    return {one: percent + more[one] for one, percent in rest.items()}
