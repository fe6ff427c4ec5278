"""T26 for the proof: what was changed, on record or in the books, is found."""

import pytest
from django.db import IntegrityError, connection, transaction

from mickle.instance.models import Month
from mickle.members.models import Charity
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.settlement import _hashing, _proof, _run, _tree, settlement
from mickle.settlement.models import Owned, Proof, ProofBlock, Run, Spend, Split
from mickle.things.models import Thing
from tests.people import (
    EARLY_DECEMBER,
    EUR,
    MID_NOVEMBER,
    NOVEMBER,
    creator,
    instance_at,
    member,
    thing,
)
from tests.settlement.proving import (
    file_of,
    only_proof,
    settle,
    the_audit_says,
    verified,
    world,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at("2026-11")


def test_a_month_whose_shares_are_not_what_was_taken_in_is_not_proved(monkeypatch):
    people = world()
    with monkeypatch.context() as late:
        late.setattr(_run, "note_done", None)
        late.setattr(_proof, "prove", lambda **_said: "")
        with pytest.raises(TypeError):
            settle()
    Nod.objects.filter(member=people[1], void="").first().delete()
    with pytest.raises(_hashing.NotWhole):
        _proof.prove(month=NOVEMBER, at=EARLY_DECEMBER)
    assert only_proof().root == ""


def test_a_month_is_not_settled_without_its_proof(monkeypatch):
    world()
    monkeypatch.setattr(_proof, "prove", lambda **_said: "ab" * 32)
    with pytest.raises(AssertionError, match="no proof"):
        settle()
    assert Run.objects.get().stage == Run.Stage.POST


def test_blocks_of_another_tree_are_not_published(small_blocks):
    world()
    ProofBlock.objects.create(month=NOVEMBER, place=1, first=b"x", root=b"y", leaves=b"z")
    with pytest.raises(_proof.AnotherProof):
        settle()
    assert settlement.proof(NOVEMBER) is None


@pytest.mark.parametrize("by_the_clock", [True, False])
def test_a_month_an_older_version_settled_is_proved(by_the_clock):
    people = world()
    settle()
    older = file_of(people[0])["shares"]
    Run.objects.update(proof_root="")
    Proof.objects.all().delete()
    ProofBlock.objects.all().delete()
    assert the_audit_says() == ""
    if by_the_clock:
        assert settlement.prove_earlier(at=EARLY_DECEMBER) == 1
    else:
        settle(NOVEMBER + 1)
    assert verified(file_of(people[0])).shares == older
    assert settlement.prove_earlier(at=EARLY_DECEMBER) == 0
    assert Run.objects.get(month=NOVEMBER).proof_root == Proof.objects.get(month=NOVEMBER).root
    assert the_audit_says() == ""


def test_a_proof_that_is_gone_is_not_made_anew():
    world()
    settle()
    Proof.objects.all().delete()
    ProofBlock.objects.all().delete()
    assert "gone" in the_audit_says()
    assert settlement.prove_earlier(at=EARLY_DECEMBER) == 0
    settle(NOVEMBER + 1)
    assert "gone" in the_audit_says()


def change(model: type, field: str, **at: object) -> None:
    """Change one bit, or one micro, of one row."""
    row = model.objects.filter(**at).order_by("pk")[0]
    value = getattr(row, field)
    if isinstance(value, bytes | memoryview):
        raw = bytearray(value)
        raw[len(raw) // 2] ^= 1
        other: object = bytes(raw)
    elif isinstance(value, str):
        other = value[:-1] + chr(ord(value[-1]) ^ 1)
    else:
        other = value ^ 1
    with transaction.atomic():
        model.objects.filter(pk=row.pk).update(**{field: other})


@pytest.mark.parametrize(
    ("model", "field"),
    [
        *((Proof, name) for name in ("root", "tree", "input_sha256", "output_sha256", "key")),
        *((Proof, name) for name in ("members", "shares", "nods", "things", "currency")),
        *((Proof, name) for name in ("fee_micros", "spent_micros", "waiting_micros")),
        *((ProofBlock, name) for name in ("leaves", "root", "first")),
        *((Nod, "weight"), (Split, "rem"), (Spend, "amount_micros"), (Owned, "receives")),
        *((Month, "fee_basis_points"), (Charity, "slug")),
        (Run, "proof_root"),
        (Run, "result_sha256"),
        (Thing, "identity"),
    ],
)
def test_one_changed_bit_of_what_is_on_record_is_found(small_blocks, model, field):
    world()
    settle()
    assert the_audit_says() == ""
    try:
        change(model, field)
    except IntegrityError:
        # The database itself has seen it.
        return
    assert the_audit_says() != ""


@pytest.mark.parametrize("field", ["shows_parts"])
def test_what_is_withheld_cannot_be_shown_later(field):
    member("alice", funds="2.00")
    for n in range(3):
        giver = member(f"m{n}", funds="2.00")
        nods.give(member=giver, thing=thing(f"p{n}", creator(f"c{n}")), at=MID_NOVEMBER)
    settle()
    Proof.objects.update(**{field: not getattr(only_proof(), field)})
    assert "root" in the_audit_says()


def test_books_changed_so_that_all_else_agrees_are_found():
    """Two members' equal nods change places: sums, lines, counts and balances stay as they are."""
    alice, dora = member("alice", funds="2.00"), member("dora", funds="2.00")
    one, two = thing("one", creator("bob")), thing("two", creator("charlie"))
    nods.give(member=alice, thing=one, at=MID_NOVEMBER)
    nods.give(member=dora, thing=two, at=MID_NOVEMBER)
    settle()
    kept = file_of(alice)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE nods_nod SET thing_id = CASE thing_id WHEN %s THEN %s ELSE %s END",
            [one.id, two.id, one.id],
        )
    checks = settlement.audit()
    assert [check.name for check in checks if not check.ok] == [_proof.CHECK]
    # Nor can alice be shown the other page with the root that everyone knows.
    with pytest.raises(_tree.NoSuchLeaf):
        file_of(alice)
    assert verified(kept).root == only_proof().root


def test_the_newest_root_stands_for_every_month_before():
    world()
    for month in range(NOVEMBER, NOVEMBER + 3):
        settle(month)
    first, second, third = Proof.objects.order_by("month")
    assert [row.before for row in (first, second, third)] == ["", first.root, second.root]
    assert settlement.proof_file(first)["figures"]["before"] is None
    assert f"before {second.root}\n" in settlement.proof_file(third)["text"]
    # Whoever changes an old month with all that belongs to it, changes the newest root.
    for model, field in ((Proof, "root"), (Run, "proof_root")):
        model.objects.filter(month=NOVEMBER).update(**{field: "ab" * 32})
    Proof.objects.filter(month=NOVEMBER + 1).update(before="ab" * 32)
    changed = Proof.objects.get(month=NOVEMBER + 1)
    assert settlement.proof_head(changed).root != second.root
    assert the_audit_says() != ""


def test_the_database_refuses_a_proof_that_does_not_add_up():
    world()
    settle()
    for change_of in (
        {"spent_micros": EUR("1.00")},
        {"proved_at": None},
        {"root": ""},
        {"tree": ""},
        {"members": 1_000},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Proof.objects.update(**change_of)
