"""The proof of a month: what is hashed, that it stays, that it tells nothing of one person."""

import hashlib
import hmac
import json
from types import SimpleNamespace

import pytest

from mickle.closing import closing
from mickle.ledger import ledger
from mickle.lib import chunks, merkle, proof_files
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.settlement import _hashing, _proof, _run, _tree, settlement
from mickle.settlement.models import Line, Proof, ProofBlock, Spend, Split
from mickle.things import things
from mickle.things.models import Thing
from tests.people import (
    EARLY_DECEMBER,
    MID_NOVEMBER,
    NOVEMBER,
    creator,
    instance_at,
    member,
    thing,
)
from tests.settlement.proving import (
    by_hand,
    file_of,
    only_proof,
    settle,
    the_audit_says,
    verified,
    world,
)
from tests.settlement.test_settle import all_hold

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at("2026-11")


def test_everyone_who_gave_can_prove_every_share(small_blocks):
    people = world()
    settle()
    row, places = only_proof(), set()
    for who in people:
        file = file_of(who)
        found = verified(file)
        assert by_hand(file) == found.root == row.root
        spent = Spend.objects.get(member=who).amount_micros
        assert proof_files.sum_micros(found) == spent
        places.add(found.place)
    assert places == set(range(len(people)))
    assert row.shares == sum(len(file_of(who)["shares"]) for who in people)
    assert ProofBlock.objects.count() == 4
    assert the_audit_says() == ""


def test_a_file_has_one_text_for_each_nod_that_counts():
    alice = member("alice", funds="5.00")
    pages = [thing(name, thing_id=number) for name, number in (("b", 11), ("a", 12), ("own", 13))]
    for page in pages:
        nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    Nod.objects.filter(thing=pages[1]).update(weight=2)
    things.set_owner(thing=pages[2], owner=alice, at=MID_NOVEMBER)
    settle()
    assert file_of(alice)["shares"] == [
        "share 2026-11 1 1666667 v1:b.example/",
        "share 2026-11 2 3333333 v1:a.example/",
    ]


def test_a_spend_that_went_to_a_charity_is_one_text():
    members.list_charity(slug="library", name="Library")
    idle = member("idle", funds="9.00", budget="4.00")
    settle()
    assert file_of(idle)["shares"] == ["gift 2026-11 4000000 library"]
    members.list_charity(slug="library", name="Another name")
    assert the_audit_says() == ""


def test_who_gave_nothing_has_no_proof():
    alice, bob = member("alice"), member("bob", funds="5.00", budget="paused")
    nods.give(member=alice, thing=thing("page"), at=MID_NOVEMBER)
    settle()
    assert settlement.proof_of(member=alice, month=NOVEMBER) is None
    assert settlement.proof_of(member=bob, month=NOVEMBER) is None
    assert settlement.proof_of(member=bob, month=NOVEMBER + 1) is None


def test_a_month_without_any_spend_has_the_root_of_nothing():
    settle()
    row = only_proof()
    assert row.tree == hashlib.sha256(b"").hexdigest()
    assert (row.members, row.shares) == (0, 0)
    head = settlement.proof_head(row)
    assert (head.given, head.paid, head.charity) == (0, 0, 0)
    assert the_audit_says() == ""


def test_nobody_finds_a_share_by_trying_without_the_salt():
    """A neighbour's hash stands in a file, and few shares are possible."""
    alice, dora = member("alice", funds="2.00"), member("dora", funds="2.00")
    for who in (alice, dora):
        nods.give(member=who, thing=thing(f"of-{who.username}"), at=MID_NOVEMBER)
    settle()
    seen = file_of(alice)["path"][0]
    text = b"share 2026-11 1 2000000 v1:of-dora.example/"
    own = hashlib.sha256(b"\x00" + text).digest()
    secret = bytes.fromhex(file_of(alice)["salt"])
    guesses = {own, *(hashlib.sha256(b"\x00" + salt + own).digest() for salt in (b"", secret))}
    assert bytes.fromhex(seen) not in guesses
    salt = hmac.digest(bytes.fromhex(only_proof().key), b"member %d" % dora.id, "sha256")
    assert hashlib.sha256(b"\x00" + salt + own).hexdigest() == seen


def test_nothing_published_can_be_tried_out_either():
    """With one giver, the plain hashes of a month could be found by trying amounts."""
    alice = member("alice", funds="2.00")
    nods.give(member=alice, thing=thing("page"), at=MID_NOVEMBER)
    settle()
    row = only_proof()
    told = json.dumps(settlement.proof_file(row)) + json.dumps(file_of(alice))
    for secret in (row.key, row.input_sha256, row.output_sha256):
        assert len(secret) == 64
        assert secret not in told


def test_the_place_in_the_tree_says_nothing_of_who_came_first(monkeypatch):
    monkeypatch.setattr(_proof.secrets, "token_hex", lambda _size: "ab" * 32)
    people = world()
    settle()
    places = [file_of(who)["place"] for who in people]
    assert places != sorted(places)
    leaves = [leaf for block in ProofBlock.objects.all() for leaf in _tree._leaves(block)]
    assert leaves == sorted(leaves)


def shown(row: Proof) -> set[str]:
    head = settlement.proof_head(row)
    names = ("given", "paid", "fee", "waiting", "charity")
    return {name for name in names if getattr(head, name) is not None}


@pytest.mark.parametrize(("givers", "whole"), [(1, set()), (2, set()), (3, {"given"})])
def test_a_month_of_a_few_tells_no_sum_of_one(givers, whole):
    maker = creator("maker")
    page = thing("page", maker)
    for n in range(givers):
        nods.give(member=member(f"m{n}", funds="5.00"), thing=page, at=MID_NOVEMBER)
    settle()
    # With three givers the sum is of three, but what makers got is one maker's.
    assert shown(only_proof()) == whole


@pytest.mark.parametrize(
    ("owners", "gifts", "waits_of", "parts"),
    [(3, 3, 3, True), (3, 0, 0, True), (2, 3, 3, False), (3, 1, 3, False), (3, 3, 2, False)],
)
def test_every_part_is_of_three_or_none_is_told(owners, gifts, waits_of, parts):
    members.list_charity(slug="library", name="Library")
    makers = [creator(f"c{n}") for n in range(owners)]
    pages = [thing(f"p{n}", makers[n % owners]) for n in range(4)]
    waiting = [thing(f"w{n}") for n in range(waits_of)]
    for n in range(4):
        giver = member(f"m{n}", funds="5.00")
        # No page is nodded at by three: the people behind a part are counted, each once.
        for page in (pages[n], *waiting[n : n + 1]):
            nods.give(member=giver, thing=page, at=MID_NOVEMBER)
    for n in range(gifts):
        member(f"idle{n}", funds="5.00")
    settle()
    every = {"given", "paid", "fee", "waiting", "charity"}
    assert shown(only_proof()) == (every if parts else {"given"})


def test_what_comes_later_changes_nothing_of_it(small_blocks):
    people = world()
    settle()
    root, files = only_proof().root, [file_of(who) for who in people]
    waits = Thing.objects.get(host="p0.example")
    for who in people[:2]:
        if Nod.objects.filter(member=who, thing=waits).exists():
            settlement.take_back_waiting(member=who, month=NOVEMBER, thing=waits, at=EARLY_DECEMBER)
    things.set_owner(thing=waits, owner=creator("late"), at=EARLY_DECEMBER)
    settlement.release_due(at=EARLY_DECEMBER)
    other = Thing.objects.get(host="p3.example")
    things.describe(thing=other, title="Another title", at=EARLY_DECEMBER)
    things.take_down(thing=other, at=EARLY_DECEMBER)
    settle(NOVEMBER + 1)
    assert [file_of(who) for who in people] == files
    assert Proof.objects.get(month=NOVEMBER).root == root
    all_hold([*ledger.audit(), *settlement.audit()])


def test_the_proof_outlives_the_secret_of_the_instance(settings):
    alice = member("alice", funds="2.00")
    nods.give(member=alice, thing=thing("page"), at=MID_NOVEMBER)
    settle()
    before = file_of(alice)
    settings.SECRET_KEY = "another one, since the old one was seen by somebody"
    assert file_of(alice) == before
    assert the_audit_says() == ""


def test_an_erased_member_leaves_the_root_as_it_is(small_blocks):
    people = world()
    settle()
    root, leaving = only_proof().root, people[3]
    closing.close(
        member=leaving,
        at=EARLY_DECEMBER,
        open_nods="settle",
        iban="DE89370400440532013000",
        holder_name="M",
    )
    assert Member.objects.get(id=leaving.id).closed_at is not None
    verified(file_of(people[4]))
    assert only_proof().root == root
    assert the_audit_says() == ""


def test_a_rehearsal_leaves_nothing_of_a_proof():
    people = world()
    settlement.rehearse(month=NOVEMBER, at=EARLY_DECEMBER)
    assert not Proof.objects.exists()
    assert not ProofBlock.objects.exists()
    settle()
    verified(file_of(people[0]))


def test_a_settlement_that_stopped_while_it_hashed_goes_on(small_blocks, monkeypatch):
    people = world()

    def die(label: str, _done: int, _total: int) -> None:
        if label == "proof":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER, report=die)
    key = only_proof().key
    assert settlement.proof(NOVEMBER) is None
    with monkeypatch.context() as half:
        dying = {"let_others": die_after_two(), "durable_together": chunks.durable_together}
        half.setattr(_tree, "chunks", SimpleNamespace(**dying))
        with pytest.raises(KeyboardInterrupt):
            settle()
    assert ProofBlock.objects.count() == 2
    assert settlement.proof_of(member=people[0], month=NOVEMBER) is None
    with monkeypatch.context() as late:
        late.setattr(_run, "note_done", None)
        with pytest.raises(TypeError):
            settle()
    # All of it is there, and the month is not settled: nothing of it is told.
    assert only_proof().root
    assert settlement.proof(NOVEMBER) is None
    assert settlement.proof_of(member=people[0], month=NOVEMBER) is None
    settle()
    assert only_proof().key == key
    for who in people:
        verified(file_of(who))
    all_hold([*ledger.audit(), *settlement.audit()])


def die_after_two():
    left = [2]

    def die(_took_s: float) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    return die


def test_every_leaf_of_every_tree_on_record_is_proved(small_blocks):
    for size in range(19):
        leaves = sorted(hashlib.sha256(b"%d" % n).digest() for n in range(size))
        _tree.write(size, leaves)
        root = merkle.root(leaves)
        assert _tree.on_record(size) == root.hex()
        for n, leaf in enumerate(leaves):
            place, beside = _tree.way(size, leaf)
            assert place == n
            assert merkle.climb(leaf, place=place, size=size, beside=beside) == root
        for stranger in (b"\x00" * 32, b"\xff" * 32):
            with pytest.raises(_tree.NoSuchLeaf):
                _tree.way(size, stranger)


def test_one_proof_reads_little_however_many_gave(small_blocks, django_assert_max_num_queries):
    people = world()
    settle()
    with django_assert_max_num_queries(6):
        file_of(people[5])


def test_addresses_that_were_let_go_are_read_again(monkeypatch):
    monkeypatch.setattr(_hashing, "KNOWN", 2)
    first, second, third = (thing(f"p{n}") for n in range(3))
    found = _hashing._Addresses()
    found.learn({first.id, second.id})
    found.learn({second.id, third.id})
    assert found == {page.id: page.identity for page in (second, third)}


def test_the_split_and_the_lines_are_those_of_the_proof():
    people = world()
    settle()
    of_thing: dict[str, int] = {}
    for who in people:
        for text in file_of(who)["shares"]:
            kind, *_fields, micros, address = text.split(" ")
            if kind == "share":
                of_thing[address] = of_thing.get(address, 0) + int(micros)
    lines = Line.objects.values_list("thing__identity", "gross_micros")
    assert of_thing == dict(lines)
    assert Split.objects.count() == len(people) - 3
