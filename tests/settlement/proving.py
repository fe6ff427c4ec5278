"""A month to prove, what its members download of it, and the reference's own way to check that."""

import hashlib
import json

from mickle.lib import months, proof_files
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.settlement import _proof, settlement
from mickle.settlement.models import Proof
from mickle.things import things
from tests.people import MID_NOVEMBER, NOVEMBER, creator, member, thing


def world(givers: int = 11) -> list[Member]:
    """Givers of one nod and more, of weights, one without a nod, pages of all kinds."""
    members.list_charity(slug="library", name="Library")
    people = [member(f"m{n}", funds=f"{2 + n}.37") for n in range(givers)]
    pages = [thing(f"p{n}", creator(f"c{n}") if n % 3 else None) for n in range(7)]
    for place, giver in enumerate(people):
        for page in pages[place % 5 :]:
            nods.give(member=giver, thing=page, at=MID_NOVEMBER)
    Nod.objects.filter(member=people[0], thing__in=pages[:2]).update(weight=7)
    things.take_down(thing=pages[6], at=MID_NOVEMBER)
    return [*people, *(member(f"idle{n}", funds="9.00", budget="4.00") for n in range(3))]


def settle(month: int = NOVEMBER) -> None:
    settlement.settle(month=month, at=months.start(month + 1))


def file_of(who: Member, month: int = NOVEMBER) -> dict:
    file = settlement.proof_of(member=who, month=month)
    assert file is not None
    return json.loads(json.dumps(file))


def verified(file: dict) -> proof_files.OfShares:
    found = proof_files.read(json.dumps(file).encode())
    assert isinstance(found, proof_files.OfShares)
    proof_files.check(found)
    return found


def only_proof() -> Proof:
    return Proof.objects.get()


def the_audit_says() -> str:
    check = settlement.audit()[-1]
    assert check.name == _proof.CHECK
    return "" if check.ok else check.detail


def by_hand(file: dict) -> str:
    """The reference's twenty lines, in a language of one import and no names of ours."""

    def sha(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    level = [sha(b"\x00" + text.encode()) for text in file["shares"]]
    while len(level) > 1:
        level = [
            sha(b"\x01" + b"".join(level[n : n + 2])) if n + 1 < len(level) else level[n]
            for n in range(0, len(level), 2)
        ]
    facts = dict(row.split(" ") for row in file["text"].splitlines()[1:])
    node = sha(b"\x00" + bytes.fromhex(file["salt"]) + level[0])
    place, last = file["place"], int(facts["members"]) - 1
    for other in map(bytes.fromhex, file["path"]):
        while place % 2 == 0 and place == last:
            place, last = place // 2, last // 2
        node = sha(b"\x01" + (other + node if place % 2 else node + other))
        place, last = place // 2, last // 2
    assert node.hex() == facts["tree"]
    return sha(file["text"].encode()).hex()
