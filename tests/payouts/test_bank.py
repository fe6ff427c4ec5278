"""The file for the bank, and what the bank did: paid once, or back where it was."""

import hashlib
import threading
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from django.db import connection, transaction

from mickle.ledger import ledger
from mickle.members import members
from mickle.payins import payins
from mickle.payouts import _bank, payouts
from mickle.payouts.models import Payout, PayoutFile
from mickle.providers import sepa
from tests.payouts.money import AT, IBAN, all_hold, earner, revenue
from tests.people import EUR, instance_at, member

pytestmark = pytest.mark.django_db
SPACE = {"": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
LATER = AT + timedelta(days=40)


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at()


def asked(name: str = "bob") -> Payout:
    return payouts.request(member=earner(name), at=AT, key="k")


def texts(file: PayoutFile, path: str) -> list[str | None]:
    root = ET.fromstring(file.content)  # noqa: S314 - the code under test wrote it
    return [node.text for node in root.findall(path, SPACE)]


def outside() -> int:
    return -ledger.balance(ledger.PROVIDER)


def test_all_that_was_asked_for_is_in_one_file(settings):
    settings.PAYOUT_COST_MICROS = EUR("0.10")
    rows = [asked("bob"), asked("dora")]
    assert list(payouts.requested()) == rows
    file = payouts.make_file(at=AT)
    assert texts(file, ".//InstdAmt") == ["12.24", "12.24"]
    assert texts(file, ".//GrpHdr/CtrlSum") == ["24.48"]
    assert texts(file, ".//EndToEndId") == [row.end_to_end_id for row in rows]
    assert texts(file, ".//Cdtr/Nm") == ["Bob Creator"] * 2
    assert texts(file, ".//CdtrAcct//IBAN") == [IBAN] * 2
    assert texts(file, ".//MsgId") == [file.message_id]
    assert (file.payments, file.sum_micros) == (2, EUR("24.48"))
    assert {row.state for row in Payout.objects.all()} == {"SENT"}
    assert list(payouts.requested()) == []
    all_hold()


def test_a_file_made_again_from_a_restored_backup_has_the_name_that_the_bank_has_seen():
    row = asked("bob")
    with transaction.atomic():
        lost = payouts.make_file(at=AT).message_id
        transaction.set_rollback(True)
    assert list(payouts.requested()) == [row]
    asked("dora")
    assert payouts.make_file(at=LATER).message_id == lost


def test_a_second_download_is_the_same_file_byte_by_byte():
    asked()
    file = payouts.make_file(at=AT)
    again = PayoutFile.objects.get(id=file.id)
    assert again.content == file.content
    assert hashlib.sha256(again.content).hexdigest() == again.sha256


def test_a_second_file_never_holds_the_same_payout():
    asked()
    payouts.make_file(at=AT)
    with pytest.raises(payouts.NothingToPay):
        payouts.make_file(at=AT)
    dora = asked("dora")
    second = payouts.make_file(at=AT)
    assert texts(second, ".//EndToEndId") == [dora.end_to_end_id]
    all_hold()


def test_a_real_instance_needs_an_account_of_its_own(settings):
    instance_at(kind="REAL")
    settings.BANK_IBAN = ""
    asked()
    with pytest.raises(sepa.NoAccount, match="MICKLE_BANK_IBAN"):
        payouts.make_file(at=AT)
    settings.BANK_IBAN = "DE02120300000000202051"
    assert texts(payouts.make_file(at=AT), ".//DbtrAcct//IBAN") == ["DE02120300000000202051"]


def test_a_crash_while_the_file_is_written_claims_nothing(monkeypatch):
    asked()
    real = _bank.sepa.credit_transfer_xml

    def crash(**facts):
        real(**facts)
        raise RuntimeError("the lights went out")

    monkeypatch.setattr(_bank.sepa, "credit_transfer_xml", crash)
    with pytest.raises(RuntimeError):
        payouts.make_file(at=AT)
    assert (PayoutFile.objects.count(), payouts.requested().count()) == (0, 1)
    monkeypatch.setattr(_bank.sepa, "credit_transfer_xml", real)
    assert payouts.make_file(at=AT).payments == 1
    all_hold()


@pytest.mark.django_db(transaction=True)
def test_four_operators_at_once_make_one_file():
    asked()
    begin, made = threading.Barrier(4), []

    def operator() -> None:
        begin.wait()
        try:
            made.append(payouts.make_file(at=AT).id)
        except payouts.NothingToPay:
            made.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=operator) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made, key=bool)[:3] == [None] * 3
    assert (len(made), PayoutFile.objects.count()) == (4, 1)
    all_hold()


# --- the bank did it ----------------------------------------------------------------------------


def test_what_the_bank_did_leaves_the_books_once(settings):
    settings.PAYOUT_COST_MICROS = EUR("0.10")
    payout = asked()
    before = outside()
    payouts.make_file(at=AT)
    assert outside() == before, "a file is not yet a payment"
    assert payouts.mark_executed(payout=payout, at=LATER) is True
    assert payouts.mark_executed(payout=payout, at=LATER) is False
    payout.refresh_from_db()
    assert (payout.state, payout.executed_at) == ("EXECUTED", LATER)
    assert before - outside() == EUR("12.24")
    assert ledger.balance(ledger.COST) == EUR("0.10")
    assert ledger.balance(ledger.payout(payout.id)) == 0
    all_hold()


def test_a_whole_file_is_marked_at_once_but_for_what_failed():
    bob, dora = asked("bob"), asked("dora")
    file = payouts.make_file(at=AT)
    payouts.mark_failed(payout=bob, at=AT, why="account closed")
    assert payouts.mark_file_executed(file=file, at=AT) == 1
    assert payouts.mark_file_executed(file=file, at=AT) == 0
    bob.refresh_from_db()
    dora.refresh_from_db()
    assert (bob.state, bob.why, dora.state) == ("FAILED", "account closed", "EXECUTED")
    assert revenue(bob.member) == 12_345_678
    all_hold()


# --- the bank did not ---------------------------------------------------------------------------


@pytest.mark.parametrize("executed", [False, True])
def test_what_failed_or_came_back_is_where_it_was_to_the_micro(settings, executed):
    settings.PAYOUT_COST_MICROS = EUR("0.10")
    payout = asked()
    before = outside()
    payouts.make_file(at=AT)
    if executed:
        payouts.mark_executed(payout=payout, at=AT)
    assert payouts.mark_failed(payout=payout, at=LATER, why="no such account") is True
    assert payouts.mark_failed(payout=payout, at=LATER) is False
    payout.refresh_from_db()
    assert payout.state == ("RETURNED" if executed else "FAILED")
    assert (payout.ended_at, payout.why) == (LATER, "no such account")
    assert (revenue(payout.member), outside()) == (12_345_678, before)
    assert ledger.balance(ledger.COST) == 0
    again = payouts.request(member=payout.member, at=LATER, key="again")
    assert again.amount_micros == EUR("12.34")
    all_hold()


def test_what_does_not_follow_is_refused():
    payout = asked()
    with pytest.raises(payouts.WrongState, match="requested"):
        payouts.mark_executed(payout=payout, at=AT)
    with pytest.raises(payouts.WrongState, match="requested"):
        payouts.mark_failed(payout=payout, at=AT)
    payouts.make_file(at=AT)
    payouts.mark_failed(payout=payout, at=AT)
    with pytest.raises(payouts.WrongState, match="failed"):
        payouts.mark_executed(payout=payout, at=AT)
    assert revenue(payout.member) == 12_345_678
    all_hold()


@pytest.mark.parametrize("crash_at", range(1, 4))
@pytest.mark.parametrize("deed", ["executed", "failed", "returned"])
def test_a_crash_between_any_two_postings_pays_nobody_twice(monkeypatch, settings, deed, crash_at):
    settings.PAYOUT_COST_MICROS = EUR("0.10")
    payout = asked()
    payouts.make_file(at=AT)
    if deed == "returned":
        payouts.mark_executed(payout=payout, at=AT)
    mark = payouts.mark_executed if deed == "executed" else payouts.mark_failed
    state, balances = Payout.objects.get(id=payout.id).state, ledger.trial_balance(LATER)
    real, calls = ledger.post, []

    def crash(**facts):
        real(**facts)
        calls.append(facts)
        if len(calls) == crash_at:
            raise RuntimeError("the lights went out")

    monkeypatch.setattr(ledger, "post", crash)
    postings = {"executed": 2, "failed": 1, "returned": 3}[deed]
    if crash_at > postings:
        mark(payout=payout, at=AT)
        assert len(calls) == postings
        return
    with pytest.raises(RuntimeError):
        mark(payout=payout, at=AT)
    assert Payout.objects.get(id=payout.id).state == state
    assert ledger.trial_balance(LATER) == balances
    monkeypatch.setattr(ledger, "post", real)
    assert mark(payout=payout, at=AT) is True
    assert mark(payout=payout, at=AT) is False
    all_hold()


# --- money of nobody known, and charities -------------------------------------------------------


def test_money_of_nobody_known_goes_back_once():
    payin = payins.book(amount_micros=EUR("5"), key="e", at=AT, reference="?")
    back = {"payin_id": payin.id, "iban": IBAN, "holder_name": "Jürgen", "at": AT}
    payout = payouts.send_back(**back)
    with pytest.raises(payouts.NotRefundable):
        payouts.send_back(**back)
    with pytest.raises(payins.AlreadyAssigned):
        payins.assign(payin=payin, member=member("alice"), at=AT)
    payouts.make_file(at=AT)
    payouts.mark_failed(payout=payout, at=AT)
    assert payins.standing() == [payin]
    second = payouts.send_back(**back)
    payouts.mark_file_executed(file=payouts.make_file(at=AT), at=AT)
    assert (second.amount_micros, outside()) == (EUR("5"), 0)
    all_hold()


def test_money_that_was_assigned_is_not_sent_back():
    payin = payins.book(amount_micros=EUR("5"), key="e", at=AT, reference="?")
    payins.assign(payin=payin, member=member("alice"), at=AT)
    with pytest.raises(payouts.NotRefundable):
        payouts.send_back(payin_id=payin.id, iban=IBAN, holder_name="J", at=AT)
    with pytest.raises(sepa.BadIban):
        payouts.send_back(payin_id=payin.id, iban="DE00", holder_name="J", at=AT)


def given(slug: str, micros: int, iban: str = IBAN):
    charity = members.list_charity(slug=slug, name=(slug.title() * 20)[:120], iban=iban)
    who = payins.top_up(
        member=member(f"for-{slug}"), amount_micros=EUR("50"), reference=slug, at=AT
    )
    ledger.post(
        key=f"gift:{slug}",
        debit=ledger.funds(who.member_id),
        credit=ledger.charity(charity.id),
        amount_micros=micros,
        reason="GIFT",
        at=AT,
    )
    return charity


def test_charities_are_paid_once_a_month_and_a_wrong_account_stops_nobody_else():
    open_library = given("open-library", 5_004_000)
    no_account, wrong = given("quiet", EUR("1"), iban=""), given("wrong", EUR("1"), iban="DE00")
    little = given("little", 9_999)
    month = 2026 * 12 + 10
    (paid,) = payouts.pay_charities(month=month, at=AT)
    assert (paid.charity, paid.amount_micros, paid.kind) == (open_library, EUR("5.00"), "CHARITY")
    assert len(paid.holder_name) == 70
    assert payouts.pay_charities(month=month, at=AT) == []
    for charity, left in ((open_library, 4_000), (little, 9_999)):
        assert ledger.balance(ledger.charity(charity.id)) == left
    for charity in (no_account, wrong):
        assert ledger.balance(ledger.charity(charity.id)) == EUR("1")
    payouts.mark_file_executed(file=payouts.make_file(at=AT), at=AT)
    all_hold()


def test_a_charity_is_paid_one_payment_at_a_time():
    charity = given("open-library", EUR("5"))
    payouts.pay_charity(charity=charity, at=AT, key="2026-11")
    ledger.post(
        key="more",
        debit=ledger.funds(
            payins.top_up(
                member=member("m"), amount_micros=EUR("9"), reference="m", at=AT
            ).member_id
        ),
        credit=ledger.charity(charity.id),
        amount_micros=EUR("9"),
        reason="GIFT",
        at=AT,
    )
    with pytest.raises(payouts.AlreadyOnItsWay):
        payouts.pay_charity(charity=charity, at=AT, key="2026-12")
    assert ledger.balance(ledger.charity(charity.id)) == EUR("9")


# --- the audit ----------------------------------------------------------------------------------


def test_the_audit_finds_each_kind_of_breach():
    bob, dora = asked("bob"), asked("dora")
    file = payouts.make_file(at=AT)
    payouts.mark_executed(payout=bob, at=AT)
    assert [check.ok for check in payouts.audit()] == [True, True, True]
    assert [check.count for check in payouts.audit()] == [1, 1, 1]
    Payout.objects.filter(id=dora.id).update(state="EXECUTED", executed_at=AT)
    assert [check.ok for check in payouts.audit()] == [False, False, True]
    Payout.objects.filter(id=dora.id).update(state="SENT", executed_at=None)
    Payout.objects.filter(id=bob.id).update(state="SENT", executed_at=None)
    assert [check.ok for check in payouts.audit()] == [False, False, True]
    Payout.objects.filter(id=bob.id).update(state="EXECUTED", executed_at=AT)
    PayoutFile.objects.filter(id=file.id).update(xml=file.content + b" ")
    assert [check.ok for check in payouts.audit()] == [True, True, False]
    PayoutFile.objects.filter(id=file.id).update(xml=file.content, sum_micros=1)
    assert [check.ok for check in payouts.audit()] == [True, True, False]
