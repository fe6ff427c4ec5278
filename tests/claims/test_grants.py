"""T16, what a proof gives: tables of pages, each with whose it is and why; nobody gets more."""

from pathlib import Path
from typing import NamedTuple

import pytest

from mickle.lib import urls
from mickle.things import _adding, _scopes, things
from mickle.things.models import Thing
from mickle.things.things import NewThing
from tests.claims.seeing import AT, Web, shown
from tests.people import creator, instance_at

pytestmark = pytest.mark.django_db


class Table(NamedTuple):
    """Who shows what, one after the other; whose each page is then."""

    title: str
    shown: list[tuple[str, str, str]]
    pages: list[tuple[str, str]]


def tables() -> list[Table]:
    """The tables of the file beside this one: proofs, and a page with its reason a line."""
    text = Path(__file__).with_name("grants.txt").read_text()
    return [_table(block.splitlines()) for block in text.strip().split("\n\n")]


def _table(lines: list[str]) -> Table:
    table = Table(lines[0].removeprefix("# "), [], [])
    for line in lines[1:]:
        case, _bar, reason = line.partition(" | ")
        match case.split(" "):
            case [who, "shows", method, address]:
                table.shown.append((who, method, address))
            case [whose, url]:
                assert reason
                table.pages.append((whose, url))
            case _:
                raise ValueError(line)
    return table


TABLES = tables()


def test_there_are_as_many_cases_as_were_asked_for():
    pages = [(table.title, url) for table in TABLES for _whose, url in table.pages]
    assert len(pages) == len(set(pages))
    assert len(pages) >= 200


def is_taken(url: str) -> bool:
    """Whether an address can be nodded at."""
    try:
        urls.admit(url)
    except urls.BadUrl:
        return False
    return True


@pytest.mark.parametrize("table", TABLES, ids=[table.title for table in TABLES])
def test_a_proof_gives_what_is_there_and_what_comes_and_no_more(table):
    instance_at("2026-11")
    web, people = Web(), {who: creator(who) for who, _method, _address in table.shown}
    fresh = {url: _adding.fresh(urls.admit(url)) for _whose, url in table.pages if is_taken(url)}
    things.bulk_add(NewThing(url, AT) for url in fresh)
    for who, method, address in table.shown:
        assert shown(web, people[who], address, method).state == "SHOWN"

    names = {None: "nobody"} | {one.id: who for who, one in people.items()}
    owners = dict(Thing.objects.values_list("identity", "owner_id"))
    found = []
    for _whose, url in table.pages:
        thing = fresh.get(url)
        scope = thing and _scopes.covering(thing)
        whose = names[owners[thing.identity]] if thing else "refused"
        later = names[scope.owner_id if scope else None] if thing else "refused"
        found.append((whose if whose == later else f"{whose},{later}", url))
    assert found == table.pages
