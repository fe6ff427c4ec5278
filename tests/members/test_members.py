import pytest

from mickle.members import members
from mickle.members.models import EMAIL_CHARACTERS, Charity, Member
from mickle.settlement import settlement
from tests.people import EARLY_DECEMBER, EUR, MID_NOVEMBER, NOVEMBER, instance_at, member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at("2026-11")


def test_a_new_member_has_the_default_budget_and_charity():
    library = members.list_charity(slug="library", name="Library")
    alice = members.join(email=" Alice@Example.org ", at=MID_NOVEMBER)
    assert alice.email == "alice@example.org"
    assert alice.username.startswith("m-")
    assert members.plan(alice, NOVEMBER) == members.Plan(EUR("5.00"), False, library)


# A letter more than an address may have.
LONG = f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 62}.example"


@pytest.mark.parametrize("email", ["alice", "@example.org", "", "a b@example.org", LONG])
def test_what_is_no_address_is_refused(email):
    with pytest.raises(members.BadEmail, match=r"name@example\.org"):
        members.join(email=email, at=MID_NOVEMBER)
    with pytest.raises(members.BadEmail):
        members.wait_for_invite(email=email, at=MID_NOVEMBER)


def test_an_address_may_be_as_long_as_mail_takes_it():
    assert len(LONG) == EMAIL_CHARACTERS + 1
    address = LONG.replace("bb", "b", 1)
    assert members.join(email=address, at=MID_NOVEMBER).email == address


def test_an_address_and_a_name_are_taken_once_whatever_the_case():
    members.join(email="alice@example.org", username="Alice", at=MID_NOVEMBER)
    with pytest.raises(members.Taken):
        members.join(email="ALICE@example.org", at=MID_NOVEMBER)
    with pytest.raises(members.Taken):
        members.join(email="other@example.org", username="aLICE", at=MID_NOVEMBER)
    assert Member.objects.count() == 1
    assert members.find("ALICE@example.org") == members.find("alice")


def test_many_join_in_their_order_and_none_where_one_has_a_name_that_is_taken():
    names = [f"Someone{n}" for n in range(5)]
    ids = members.join_many(
        [members.NewMember(name, MID_NOVEMBER, budget_micros=EUR("2.00")) for name in names],
        budget_month=NOVEMBER,
    )
    assert [Member.objects.get(id=id_).username for id_ in ids] == names
    assert members.plan(members.find("someone3"), NOVEMBER).budget_micros == EUR("2.00")
    later = members.join(email="later@example.org", at=MID_NOVEMBER)
    assert later.id > max(ids)
    more = [members.NewMember(name, MID_NOVEMBER) for name in ("new", "someone1")]
    with pytest.raises(members.Taken):
        members.join_many(more, budget_month=NOVEMBER)
    assert Member.objects.count() == 6


def test_top_ups_of_many_are_kept_with_the_month_of_the_first():
    alice, bob = member("alice"), member("bob")
    members.note_top_ups([(alice.id, EUR("2.00"), NOVEMBER), (alice.id, EUR("3.00"), NOVEMBER - 1)])
    members.note_top_ups([(alice.id, EUR("1.00"), NOVEMBER - 2), (bob.id, EUR("1.00"), NOVEMBER)])
    members.note_top_ups([])
    alice.refresh_from_db()
    bob.refresh_from_db()
    assert (alice.topped_up_micros, alice.funded_month) == (EUR("6.00"), NOVEMBER - 1)
    assert (bob.topped_up_micros, bob.funded_month) == (EUR("1.00"), NOVEMBER)


@pytest.mark.parametrize("amount", ["1.99", "100.01", "0", "999999"])
def test_a_budget_outside_the_limits_is_refused_and_nothing_changes(amount):
    alice = member("alice")
    with pytest.raises(members.BadBudget, match=r"2\.00 to 100\.00"):
        members.set_budget(member=alice, at=MID_NOVEMBER, amount_micros=EUR(amount))
    assert members.plan(alice, NOVEMBER).budget_micros == EUR("5.00")


def test_a_budget_is_in_whole_cents():
    with pytest.raises(members.BadBudget, match="whole cents"):
        members.set_budget(member=member("alice"), at=MID_NOVEMBER, amount_micros=5_001_000)


def test_a_change_counts_from_the_open_month_on_and_never_for_a_closed_one():
    alice = member("alice")
    settlement.close_due(at=EARLY_DECEMBER)
    # Said for November, after November has closed.
    members.set_budget(member=alice, at=MID_NOVEMBER, amount_micros=EUR("50.00"))
    assert members.plan(alice, NOVEMBER).budget_micros == EUR("5.00")
    assert members.plan(alice, NOVEMBER + 1).budget_micros == EUR("50.00")
    assert members.plan(alice, NOVEMBER + 9).budget_micros == EUR("50.00")


def test_a_pause_keeps_the_amount_and_the_charity():
    library = members.list_charity(slug="library", name="Library")
    alice = member("alice")
    members.set_budget(member=alice, at=MID_NOVEMBER, amount_micros=EUR("7.00"), charity=library)
    paused = members.set_budget(member=alice, at=MID_NOVEMBER, paused=True)
    assert paused == members.Plan(EUR("7.00"), True, library)
    assert not members.set_budget(member=alice, at=MID_NOVEMBER, paused=False).paused


def test_a_charity_taken_off_leaves_its_members_with_the_default():
    library = members.list_charity(slug="library", name="Library")
    lifeboats = members.list_charity(slug="lifeboats", name="Lifeboats")
    alice = member("alice")
    members.set_budget(member=alice, at=MID_NOVEMBER, charity=lifeboats)
    members.unlist_charity(charity=lifeboats)
    assert members.plan(alice, NOVEMBER).charity == library
    lifeboats.refresh_from_db()
    with pytest.raises(members.BadCharity):
        members.set_budget(member=alice, at=MID_NOVEMBER, charity=lifeboats)
    members.unlist_charity(charity=library)
    assert members.plan(alice, NOVEMBER).charity is None
    assert not Charity.objects.filter(is_default=True).exists()


def test_two_euros_in_all_make_a_receiver_unless_the_policy_is_open(settings):
    bob = member("bob")
    assert members.note_top_up(member=bob, amount_micros=EUR("1.99"), month=NOVEMBER)
    assert not members.may_receive(bob)
    assert not members.note_top_up(member=bob, amount_micros=EUR("0.01"), month=NOVEMBER)
    assert members.may_receive(bob)
    members.note_top_up(member=bob, amount_micros=-EUR("0.01"), month=NOVEMBER)
    assert not members.may_receive(bob)
    settings.RECEIVE_POLICY = "open"
    assert members.may_receive(bob)
    members.suspend(member=bob, at=MID_NOVEMBER)
    assert not members.may_receive(bob)


def test_an_invitation_is_used_as_often_as_it_says():
    code = members.invite(at=MID_NOVEMBER, uses=2).code
    members.use_invite(code)
    members.use_invite(f" {code} ")
    for bad in (code, "guess", ""):
        with pytest.raises(members.NotInvited):
            members.use_invite(bad)


def test_asking_for_an_invitation_twice_is_asking_once():
    for _time in range(2):
        members.wait_for_invite(email="Charlie@example.org", at=MID_NOVEMBER)
    assert members.WaitingPerson.objects.count() == 1


def test_an_erased_member_is_a_number_and_leaves_the_address_free():
    alice = member("alice")
    members.erase(member=alice, at=MID_NOVEMBER)
    alice.refresh_from_db()
    assert (alice.username, alice.email, alice.name) == (f"closed-{alice.id}", "", "")
    assert not alice.is_active
    assert not alice.check_password("")
    members.erase(member=member("bob"), at=MID_NOVEMBER)
    assert members.join(email="alice@example.org", at=MID_NOVEMBER).id != alice.id


def test_the_last_operator_stays_one():
    olga, otto = member("olga"), member("otto")
    members.set_operator(member=olga, is_operator=True)
    with pytest.raises(members.LastOperator):
        members.set_operator(member=olga, is_operator=False)
    members.set_operator(member=otto, is_operator=True)
    members.set_operator(member=olga, is_operator=False)
    assert list(Member.objects.filter(is_operator=True)) == [otto]


def test_an_operator_who_leaves_counts_for_nobody_and_is_made_none():
    olga, otto = member("olga"), member("otto")
    for who in (olga, otto):
        members.set_operator(member=who, is_operator=True)
    members.note_closing(member=otto, at=MID_NOVEMBER)
    with pytest.raises(members.LastOperator):
        members.set_operator(member=olga, is_operator=False)
    with pytest.raises(members.Leaving):
        members.set_operator(member=otto, is_operator=True)


def test_what_members_say_of_themselves_turns_no_words_round_and_has_no_controls():
    alice = members.join(email="a@example.org", name="Al\u202eice\n\x1b[1m", at=MID_NOVEMBER)
    assert alice.name == "Alice [1m"
    about = "Writes.\r\n\r\nAnd\tdraws.\u2066\x00"
    members.describe(member=alice, name="\u2067 Alice\u2028 B. \u202e", about=about)
    alice.refresh_from_db()
    assert (alice.name, alice.about) == ("Alice B.", "Writes.\n\nAnd draws.")
    # Joiners belong to words: نمی‌خواهم.
    members.describe(member=alice, name="نمی\u200cخواهم")
    alice.refresh_from_db()
    assert alice.name == "نمی\u200cخواهم"
