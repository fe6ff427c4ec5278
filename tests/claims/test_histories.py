"""T16, who has a place in the end: tables of what was done one after the other, each with why."""

from datetime import timedelta
from pathlib import Path

import pytest

from mickle.claims import proofs
from mickle.claims.models import Proof
from mickle.members.models import Member
from tests.claims.seeing import AT, Web, look, owner, page, put
from tests.people import creator, instance_at

pytestmark = pytest.mark.django_db
PLACE, HOST = "https://blog.example/", "blog.example"


class History:
    """A site, those who show that it is theirs, and a clock."""

    def __init__(self) -> None:
        self.web, self.at = Web(), AT
        self.people: dict[str, Member] = {}

    def who(self, name: str) -> Member:
        if name not in self.people:
            self.people[name] = creator(name)
        return self.people[name]

    def proof(self, who: str, method: str) -> Proof:
        return Proof.objects.filter(member=self.who(who), method=method).latest("id")

    def do(self, deed: str) -> None:
        match deed.split(" "):
            case ["day", days]:
                self.at += timedelta(days=int(days))
            case ["falls", "silent"]:
                self.web.silent = {HOST}
            case ["answers"]:
                self.web.silent = set()
            case [who, "leaves"]:
                proofs.forget(member=self.who(who), at=self.at)
            case [who, how, method]:
                self.show(who, how, method)

    def show(self, who: str, how: str, method: str) -> None:
        match how:
            case "asks":
                proofs.begin(member=self.who(who), address=PLACE, method=method, at=self.at)
            case "shows":
                self.all(f"{who} asks {method}", f"{who} puts {method}", f"{who} looks {method}")
            case "hides":
                self.all(f"{who} removes {method}", f"{who} looks {method}")
            case _:
                self.alone(how, self.proof(who, method))

    def all(self, *deeds: str) -> None:
        for deed in deeds:
            self.do(deed)

    def alone(self, how: str, proof: Proof) -> None:
        match how:
            case "puts":
                put(self.web, proof)
            case "looks":
                look(self.web, proof, self.at)
            case "ends":
                proofs.end(proof=proof, at=self.at)
            case "wins":
                proofs.decide(proof=proof, by=self.who("olga"), at=self.at)
            case "removes":
                there = Web()
                put(there, proof)
                for url in there.pages:
                    del self.web.pages[url]
                for name in there.records:
                    del self.web.records[name]
            case _:
                raise ValueError(how)


LINES = Path(__file__).with_name("histories.txt").read_text().splitlines()


@pytest.mark.parametrize("line", LINES, ids=[line.split(" | ")[2] for line in LINES])
def test_a_place_is_whose_proof_stands_and_nobodys_else(line):
    instance_at("2026-11")
    deeds, whose, _why = line.split(" | ")
    history, essay = History(), page("https://blog.example/essay")
    history.all(*deeds.split(", "))
    names = {None: "nobody"} | {one: who for who, one in history.people.items()}
    new = page("https://blog.example/new")
    assert [names[owner(essay)], names[owner(new)]] == [whose, whose]
