"""Before money leaves, what it came from is looked at once more; the first large sum waits."""

from datetime import timedelta

import pytest

from mickle.claims import accounts, proofs
from mickle.claims.accounts import Account
from mickle.claims.models import Proof
from mickle.closing import closing
from mickle.members import members
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.providers import sepa
from tests.claims.seeing import Web, look, put
from tests.payouts.money import AT, IBAN, all_hold, earner, revenue
from tests.people import EUR, instance_at, member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SMALL = EUR("50.00")


@pytest.fixture(autouse=True)
def _instance():
    instance_at("2026-11")


@pytest.fixture
def web() -> Web:
    return Web()


def shows(web: Web, who, host: str = "blog.example", at=AT) -> Proof:
    proof = proofs.begin(member=who, address=f"https://{host}/", method="FILE", at=at)
    put(web, proof)
    return look(web, proof, at)


def ask(who, amount: int | None = None, at=AT + 20 * DAY) -> Payout:
    return payouts.request(member=who, at=at, key=f"{at}", amount_micros=amount)


def why(payout: Payout, at=AT + 20 * DAY) -> str:
    return payouts.why_held([payout], at=at).get(payout.id, "")


def in_file(payout: Payout, at=AT + 21 * DAY) -> bool:
    try:
        return payout in payouts.make_file(at=at).payouts.all()
    except payouts.NothingToPay:
        return False


def test_a_payout_waits_until_the_place_was_seen_after_it_was_asked_for(web):
    bob = earner()
    proof = shows(web, bob)
    payout = ask(bob)

    assert "looked at once more" in why(payout)
    assert not in_file(payout)
    look(web, proof, AT + 20 * DAY)
    assert why(payout) == ""
    assert in_file(payout)
    all_hold()


def test_a_proof_removed_between_the_look_and_the_payout_pays_nothing(web):
    bob = earner()
    proof = shows(web, bob)
    payout = ask(bob)
    web.pages.clear()
    look(web, proof, AT + 20 * DAY)

    assert "no longer shown" in why(payout)
    assert not in_file(payout)
    # What was earned stays the member's, and goes when it is shown again.
    put(web, proof)
    look(web, proof, AT + 22 * DAY)
    assert in_file(payout, AT + 22 * DAY)


def test_giving_a_place_up_is_no_way_round_the_look(web):
    bob = earner()
    proof = shows(web, bob)
    payout = ask(bob)
    proofs.end(proof=proof, at=AT + 20 * DAY)

    assert "given up" in why(payout)
    assert not in_file(payout)


@pytest.mark.parametrize(("before", "holds"), [(1, True), (14, True), (15, False)])
def test_nor_is_giving_it_up_within_the_fortnight_before_one_asks(web, before, holds):
    bob = earner()
    proof = shows(web, bob)
    proofs.end(proof=proof, at=AT + (20 - before) * DAY)
    payout = ask(bob)

    assert ("given up" in why(payout)) is holds
    assert in_file(payout) is not holds


def test_a_place_that_is_shown_another_way_since_is_not_given_up(web):
    bob = earner()
    old = shows(web, bob)
    new = proofs.begin(member=bob, address="https://blog.example/", method="DNS", at=AT + DAY)
    put(web, new)
    look(web, new, AT + DAY)
    payout = ask(bob)
    proofs.end(proof=old, at=AT + 20 * DAY)

    assert "looked at once more" in why(payout)
    look(web, new, AT + 20 * DAY)
    assert why(payout) == ""
    assert in_file(payout)


def signs_in(who, name: str, at=AT) -> Proof:
    account = Account("github", "github.com", "1", name)
    return accounts.note(member=who, account=account, at=at)


def test_a_payout_waits_while_the_account_is_gone_or_called_something_else(web):
    bob = earner()
    proof = signs_in(bob, "bob")
    payout = ask(bob)
    assert "looked at once more" in why(payout)

    place = "https://api.github.com/user/1"
    for said in (None, '{"id": 1, "login": "bobby", "type": "User"}'):
        web.pages = {place: said} if said else {}
        assert look(web, proof, AT + 20 * DAY).state == "LOST"
        assert "no longer shown" in why(payout)
        assert not in_file(payout)
    # The same account by its new name is the same account.
    signs_in(bob, "bobby", AT + 21 * DAY)
    assert in_file(payout, AT + 21 * DAY)
    all_hold()


def test_another_name_is_no_way_round_the_look(web):
    bob = earner()
    signs_in(bob, "bob")
    later = signs_in(bob, "bobby", AT + DAY)
    payout = ask(bob)
    assert "looked at once more" in why(payout)
    look(web, later, AT + 20 * DAY)
    assert "no longer shown" in why(payout)
    # What was called something else and given up since is no more shown than any other.
    signs_in(bob, "bobby", AT + 21 * DAY)
    again = signs_in(bob, "bob", AT + 21 * DAY)
    proofs.end(proof=again, at=AT + 21 * DAY)
    assert "given up" in why(payout)


def test_a_dispute_holds_the_payouts_of_both(web):
    bob, eve = earner("bob"), earner("eve")
    shows(web, bob)
    first, second = ask(bob), ask(eve)
    hers = proofs.begin(member=eve, address="https://blog.example/", method="DNS", at=AT + 20 * DAY)
    put(web, hers)
    look(web, hers, AT + 20 * DAY)

    assert not in_file(first)
    assert not in_file(second)


def test_an_operator_may_let_it_go_all_the_same(web):
    bob, olga = earner(), member("olga")
    shows(web, bob)
    payout = ask(bob)

    payouts.clear(payout=payout, by=olga)
    payout.refresh_from_db()

    assert why(payout) == ""
    assert in_file(payout)
    with pytest.raises(payouts.WrongState):
        payouts.clear(payout=payout, by=olga)


def test_who_shows_nothing_by_a_machine_waits_for_nothing():
    bob = earner()
    assert in_file(ask(bob))


def test_others_are_paid_while_one_waits(web):
    bob, eve = earner("bob"), earner("eve")
    shows(web, bob)
    held, free = ask(bob), ask(eve)

    file = payouts.make_file(at=AT + 21 * DAY)

    assert list(file.payouts.all()) == [free]
    held.refresh_from_db()
    assert held.state == "REQUESTED"


def test_the_first_payout_of_more_than_fifty_waits_for_the_notice(web):
    bob = earner(micros=EUR("300.00"))
    proof = shows(web, bob)
    assert proof.notice_until_at == AT + 14 * DAY

    for day in (0, 13):
        with pytest.raises(payouts.UnderNotice, match=r"2026-11-29.*50\.00 EUR"):
            ask(bob, EUR("50.01"), AT + day * DAY)
    assert revenue(bob) == EUR("300.00")
    assert ask(bob, SMALL, AT + 13 * DAY).amount_micros == SMALL


def test_small_sums_count_together_while_the_notice_runs(web):
    bob = earner(micros=EUR("300.00"))
    proof = shows(web, bob)
    first = ask(bob, EUR("30.00"), AT + DAY)
    look(web, proof, AT + DAY)
    payouts.make_file(at=AT + DAY)
    payouts.mark_executed(payout=first, at=AT + 2 * DAY)

    with pytest.raises(payouts.UnderNotice):
        ask(bob, EUR("20.01"), AT + 3 * DAY)
    assert ask(bob, EUR("20.00"), AT + 3 * DAY).state == "REQUESTED"


def test_what_came_back_does_not_count(web):
    bob = earner(micros=EUR("300.00"))
    proof = shows(web, bob)
    first = ask(bob, SMALL, AT + DAY)
    look(web, proof, AT + DAY)
    payouts.make_file(at=AT + DAY)
    payouts.mark_failed(payout=first, at=AT + 2 * DAY)
    assert ask(bob, SMALL, AT + 3 * DAY).amount_micros == SMALL


def test_leaving_is_no_way_round_the_notice(web):
    bob = earner(micros=EUR("300.00"))
    proof = shows(web, bob)

    rest = payouts.pay_rest(member=bob, to=sepa.Account("Bob", IBAN), at=AT + 2 * DAY)
    look(web, proof, AT + 2 * DAY)

    assert rest is not None
    assert "everybody can object" in why(rest, AT + 13 * DAY)
    assert not in_file(rest, AT + 13 * DAY)
    assert in_file(rest, AT + 14 * DAY)


def test_after_the_notice_all_of_it_can_go(web):
    bob = earner(micros=EUR("300.00"))
    shows(web, bob)
    assert ask(bob, None, AT + 14 * DAY).amount_micros == EUR("300.00")


def test_giving_a_place_up_does_not_end_its_notice(web):
    bob = earner(micros=EUR("300.00"))
    proofs.end(proof=shows(web, bob), at=AT + DAY)
    with pytest.raises(payouts.UnderNotice):
        ask(bob, None, AT + 2 * DAY)


def test_who_was_paid_a_large_sum_before_waits_for_no_notice(web):
    bob = earner(micros=EUR("300.00"))
    shows(web, bob)
    first = ask(bob, EUR("60.00"), AT + 15 * DAY)
    payouts.clear(payout=first, by=bob)
    payouts.make_file(at=AT + 15 * DAY)
    payouts.mark_executed(payout=first, at=AT + 16 * DAY)

    shows(web, bob, "shop.example", AT + 20 * DAY)
    assert ask(bob, EUR("70.00"), AT + 21 * DAY).amount_micros == EUR("70.00")


def test_what_a_maker_who_leaves_has_earned_waits_for_an_operator(web):
    members.list_charity(slug="library", name="Library")
    bob, olga = earner(), member("olga")
    shows(web, bob)

    closing.close(
        member=bob, at=AT + DAY, open_nods="take_back", iban=IBAN, holder_name="Bob Creator"
    )

    rest = Payout.objects.get(member=bob, kind="REVENUE")
    assert "given up" in why(rest, AT + 60 * DAY)
    assert not in_file(rest, AT + 60 * DAY)
    payouts.clear(payout=rest, by=olga)
    assert in_file(Payout.objects.get(id=rest.id), AT + 61 * DAY)


def test_earnings_asked_back_from_funds_wait_as_any_others(web):
    bob = earner(micros=EUR("300.00"))
    proof = shows(web, bob)
    web.pages.clear()
    look(web, proof, AT + DAY)
    payins.to_funds(member=bob, at=AT + DAY)
    members.set_budget(member=bob, at=AT, amount_micros=EUR("2.00"), paused=True)
    to = {"iban": IBAN, "holder_name": "Bob"}
    out = payouts.refund(member=bob, at=AT + DAY, key="k", **to)
    assert payouts.why_held([out], at=AT + DAY).keys() == {out.id}
    with pytest.raises(payouts.NothingToPay):
        payouts.make_file(at=AT + DAY)
    payouts.clear(payout=out, by=member("olga"))
    assert out in payouts.make_file(at=AT + DAY).payouts.all()
    all_hold()


def test_what_was_topped_up_goes_back_whatever_is_shown(web):
    bob = earner(micros=0)
    shows(web, bob)
    topped = payins.top_up(member=bob, amount_micros=EUR("200.00"), reference="bank", at=AT)
    assert topped.member == bob
    members.set_budget(member=bob, at=AT, amount_micros=EUR("2.00"), paused=True)
    out = payouts.refund(member=bob, at=AT, key="k", iban=IBAN, holder_name="Bob")
    assert out in payouts.make_file(at=AT).payouts.all()
