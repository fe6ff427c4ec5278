"""A giver downloads the proof of a month, a stranger reads what is published, both can check it."""

import json
from pathlib import Path

import pytest
from django.test import Client

from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.ops.main import main
from mickle.settlement import settlement
from mickle.settlement.models import Proof
from tests.people import EARLY_DECEMBER, MID_NOVEMBER, NOVEMBER, creator, instance_at, member, thing
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def givers() -> list[Member]:
    """Four gave to three makers."""
    instance_at("2026-11", kind="TEST")
    pages = [thing(f"page{n}", creator(f"maker{n}")) for n in range(3)]
    people = [member(f"m{n}", funds="5.00") for n in range(4)]
    for who in people:
        for page in pages:
            nods.give(member=who, thing=page, at=MID_NOVEMBER)
    return people


@pytest.fixture
def settled(givers: list[Member]) -> list[Member]:
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    return givers


def written(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def test_a_giver_downloads_and_checks_the_own_shares(settled, tmp_path, capsys):
    person = signed_in(settled[1]).open("/statements/2026-11")
    assert "Download the proof of my shares" in person.text
    assert 'href="/statements/2026-11/proof.json"' in person.html
    own = person.open("/statements/2026-11/proof.json").page
    assert own["Content-Disposition"] == 'attachment; filename="my-shares-2026-11.json"'
    assert own["Cache-Control"] == "private, no-store"
    month = Client().get("/proof/2026-11.json")
    files = [written(tmp_path, "own", own.content), written(tmp_path, "month", month.content)]
    root = Proof.objects.get().root
    assert main(["verify", files[0], "--json-of", files[1], "--root", root]) == 0
    said = capsys.readouterr().out
    assert "3 shares of 2026-11, together 5.000000 EUR." in said
    assert root in said
    # Of the others there are hashes and no more.
    told = own.content.decode() + month.content.decode()
    assert not [who for who in settled if who.username in told]
    assert len(json.loads(own.content)["path"]) == 2


def test_the_file_is_its_members_alone(settled):
    outsider = members.join(email="eve@example.org", at=MID_NOVEMBER)
    assert signed_in(outsider).open("/statements/2026-11/proof.json").page.status_code == 404
    assert "Download the proof" not in signed_in(outsider).open("/statements/2026-11").text
    nobody = Client().get("/statements/2026-11/proof.json")
    assert nobody["Location"].startswith("/sign-in?next=")
    files = [
        json.loads(signed_in(who).open("/statements/2026-11/proof.json").page.content)
        for who in settled
    ]
    for name in ("salt", "place"):
        assert len({one[name] for one in files}) == len(settled)


def test_anybody_reads_the_month_and_its_root(settled):
    row = Proof.objects.get()
    person = Person.new().open("/proof")
    assert 'href="/proof/2026-11"' in person.html
    assert row.root[:16] in person.text
    person.open("/proof/2026-11")
    assert row.root in person.text
    assert "4 people, 12 shares, one root." in person.text
    assert "Left in the pool 0.000000" in person.text
    assert "€20.00 0000" in person.text
    assert "mickle verify my-shares-2026-11.json --json-of 2026-11.json" in person.text
    file = Client().get("/proof/2026-11.json").json()
    assert file["root"] == row.root
    assert file["figures"]["given"] == 20_000_000
    assert file["figures"]["fee"] == row.fee_micros
    assert row.key not in person.html + json.dumps(file)
    assert 'href="/proof/2026-11"' in person.open("/figures").html


def test_it_is_told_in_german(settled):
    page = Client().get("/proof/2026-11", headers={"Accept-Language": "de"}).content.decode()
    assert "November 2026, bewiesen" in page
    assert "Prüf es ohne uns" in page


def test_before_the_month_is_settled_nothing_is_told(givers):
    settlement.close_due(at=EARLY_DECEMBER)
    for path in ("/proof/2026-11", "/proof/2026-11.json", "/proof/2026-12", "/proof/2026-13"):
        assert Client().get(path).status_code == 404
    assert "No month has ended here yet." in Person.new().open("/proof").text
    person = signed_in(givers[0])
    assert person.open("/statements/2026-11/proof.json").page.status_code == 404
    assert "Download the proof" not in person.open("/statements/2026-11").text


def test_a_month_of_one_person_tells_no_sum_anywhere():
    instance_at("2026-11", kind="TEST")
    alice = member("alice", funds="4.37")
    nods.give(member=alice, thing=thing("page", creator("bob")), at=MID_NOVEMBER)
    settlement.settle(month=NOVEMBER, at=months.start(NOVEMBER + 1))
    for path in ("/", "/figures", "/proof", "/proof/2026-11", "/proof/2026-11.json"):
        page = Client().get(path).content.decode()
        for text in ("€4.37", "4.370000", "4370000"):
            assert text not in page, path
    assert "1 person, 1 share, one root." in Person.new().open("/proof/2026-11").text
    assert "A dash stands where" in Person.new().open("/proof/2026-11").text
    assert "€4.37" in signed_in(alice).open("/statements/2026-11").text
