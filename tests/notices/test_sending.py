"""Handing mails over: each at most once, none lost, whatever the mail server does."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import override_settings

from mickle.members.models import Member
from mickle.nods import nods
from mickle.notices import _post, notices
from mickle.notices.models import Notice
from tests.concurrency.together import together
from tests.notices.mailing import THREE_DAYS_BEFORE, Clock, state
from tests.notices.post_office import MOMENTS, PostOffice
from tests.people import MID_NOVEMBER, member, thing

MINUTE = timedelta(minutes=1)
State = Notice.State


def due(*names: str) -> list[Member]:
    """Members who have to be told that a nod of theirs pays nothing."""
    people = [member(name) for name in names]
    for who in people:
        nods.give(member=who, thing=thing(f"page-{who.username}"), at=MID_NOVEMBER)
    return people


@pytest.fixture
def office(clock: Clock) -> Iterator[PostOffice]:
    clock.at = THREE_DAYS_BEFORE
    with PostOffice() as here, override_settings(**here.settings):
        yield here


def send(clock: Clock) -> int:
    notices.plan(at=clock.at)
    return notices.send_due(at=clock.at, go_on=lambda: None)


def states() -> dict[str, int]:
    return {name: n for name, n in notices.counts().items() if n}


def test_what_the_server_takes_is_sent_once_over_one_connection(clock, office):
    due("a", "b", "c")
    assert send(clock) == 3
    assert send(clock) == 0
    assert [to for to, _mail in office.accepted] == [f"{n}@example.org" for n in "abc"]
    assert states() == {State.SENT: 3}


def test_a_server_that_hangs_up_between_mails_is_called_again(clock, office):
    office.most = 2
    due("a", "b", "c", "d", "e")
    assert send(clock) == 5
    assert states() == {State.SENT: 5}
    assert len(office.accepted) == 5


def test_a_server_that_is_away_keeps_all_of_it_waiting(clock, office):
    due("a", "b")
    with override_settings(EMAIL_PORT=1), pytest.raises(notices.NotSent) as why:
        send(clock)
    assert "The mail server cannot be reached (ConnectionRefusedError 111)." in str(why.value)
    assert "Mails that wait: 2; none is lost." in str(why.value)
    assert states() == {State.WAITING: 2}
    assert send(clock) == 2


def test_an_address_that_is_refused_for_good_keeps_no_other_back(clock, office):
    bad, good = due("bad", "good")
    office.refuses["bad@example.org"] = "550 no bad@example.org here"
    assert send(clock) == 1
    assert (state(bad, "REMINDER"), state(good, "REMINDER")) == (State.REFUSED, State.SENT)
    why = Notice.objects.get(member=bad).why
    assert why == "The mail server refused it for good (550)."
    clock.at += timedelta(days=1)
    assert send(clock) == 0


@pytest.mark.parametrize("where", ["refuses", "judges"])
def test_what_is_not_taken_now_is_tried_again_later_and_at_last_no_more(clock, office, where):
    [who] = due("who")
    getattr(office, where)["who@example.org"] = "451 greylisted"
    waits = []
    while state(who, "REMINDER") in ("", State.WAITING):
        assert send(clock) == 0
        row = Notice.objects.get()
        waits.append((row.try_at - clock.at) // MINUTE)
        if row.try_at > clock.at:
            assert send(clock) == 0
            assert Notice.objects.get().tries == row.tries
            clock.at = row.try_at
    assert waits[:8] == [5, 10, 20, 40, 80, 160, 320, 640]
    assert state(who, "REMINDER") == State.REFUSED
    assert Notice.objects.get().why == (
        "The mail server did not take it now (451). It was tried 9 times."
    )


def test_what_was_taken_at_a_later_try_is_sent(clock, office):
    due("who")
    office.refuses["who@example.org"] = "451 later"
    send(clock)
    office.refuses.clear()
    clock.at += 5 * MINUTE
    assert send(clock) == 1
    assert len(office.accepted) == 1


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_connection_that_breaks_loses_nothing_and_sends_nothing_twice(clock, office, moment):
    due("a", "b", "c")
    office.breaks["b@example.org"] = moment
    if moment == "rcpt":
        # Nothing was handed over, and called again it breaks again.
        with pytest.raises(notices.NotSent):
            send(clock)
        assert states() == {State.SENT: 1, State.WAITING: 2}
        office.breaks.clear()
    send(clock)
    doubt = 1 if moment in ("data", "given") else 0
    assert states() == {State.SENT: 3 - doubt} | ({State.DOUBT: 1} if doubt else {})
    counted = [to for to, _mail in office.accepted]
    assert len(counted) == len(set(counted)) == 3 - doubt
    assert send(clock) == 0


def test_a_server_that_goes_away_is_tried_later_with_all_that_waits(clock, office):
    due("a", "b")
    office.refuses["a@example.org"] = "421 shutting down"
    with pytest.raises(notices.NotSent):
        send(clock)
    assert states() == {State.WAITING: 2}


def test_what_a_dead_worker_left_is_in_doubt_and_an_operator_may_send_it_again(clock, office):
    [who] = due("who")
    notices.plan(at=clock.at)
    Notice.objects.update(state=State.CLAIMED, claimed_at=clock.at)
    assert notices.to_send(clock.at)
    assert send(clock) == 0
    [row] = notices.unresolved()
    assert (row.state, row.why) == (State.DOUBT, "The worker ended while it was handed over.")
    clock.at += timedelta(hours=1)
    assert send(clock) == 0
    notices.send_again(notice=row, at=clock.at)
    with pytest.raises(notices.NotOpen):
        notices.send_again(notice=row, at=clock.at)
    assert send(clock) == 1
    assert state(who, "REMINDER") == State.SENT


def test_a_mail_that_is_sent_again_has_the_name_it_had(clock, office):
    due("who")
    send(clock)
    Notice.objects.update(state=State.DOUBT)
    notices.send_again(notice=Notice.objects.get(), at=clock.at)
    clock.at += MINUTE
    send(clock)
    first, second = (sent["Message-ID"] for sent in office.to("who@example.org"))
    assert first == second


def test_no_minute_sees_more_than_the_setting_says(clock, office, settings):
    settings.MAILS_A_MINUTE = 3
    due(*(f"m{n}" for n in range(8)))
    taken = []
    for _quarter in range(12):
        taken.append(send(clock))
        clock.at += MINUTE / 4
    assert taken == [3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0]
    settings.MAILS_A_MINUTE = 0
    assert not notices.to_send(clock.at)


def test_mails_go_on_after_a_clock_was_set_back(clock, office, settings):
    settings.MAILS_A_MINUTE = 3
    due("a", "b", "c", "d")
    notices.plan(at=clock.at)
    clock.at += timedelta(days=1)
    assert send(clock) == 3
    clock.at -= timedelta(days=1)
    assert send(clock) == 1


def test_what_the_server_does_not_take_counts_in_its_minute(clock, office, settings):
    settings.MAILS_A_MINUTE = 3
    given = []
    office.at = lambda moment, to: given.append(to) if moment == "rcpt" else None
    for who in due(*(f"m{n}" for n in range(8))):
        office.refuses[who.email] = "451 not so fast"
    seen = []
    for _quarter in range(12):
        send(clock)
        seen.append(len(given))
        clock.at += MINUTE / 4
    assert seen == [3, 3, 3, 3, 6, 6, 6, 6, 8, 8, 8, 8]


def test_a_worker_that_is_told_to_end_stops_between_two_mails(clock, office):
    due("a", "b", "c")

    class Enough(Exception):
        pass

    def go_on() -> None:
        if office.accepted:
            raise Enough

    notices.plan(at=clock.at)
    with pytest.raises(Enough):
        notices.send_due(at=clock.at, go_on=go_on)
    assert states() == {State.SENT: 1, State.WAITING: 2}


def test_a_mail_that_cannot_be_written_keeps_no_other_back(clock, office, monkeypatch, caplog):
    bad, _good = due("bad", "good")
    written = _post.message

    def broken(notice, text, stop_url):
        if notice.member_id == bad.id:
            raise KeyError("bad@example.org")
        return written(notice, text, stop_url)

    monkeypatch.setattr(_post, "message", broken)
    assert send(clock) == 1
    assert states() == {State.SENT: 1, State.WAITING: 1}
    assert "bad@" not in caplog.text
    assert Notice.objects.get(member=bad).why == "It could not be written (KeyError)."


HOSTILE = [
    "x@example.org\nBcc: everybody@example.org",
    "x@example.org\r\n\r\nbody",
    "x@example.org, y@example.org",
    "<x@example.org> BODY=8BITMIME",
    "x@example.org>\r\nRCPT TO:<y@example.org",
    "no address",
]


@pytest.mark.parametrize("address", HOSTILE)
def test_a_hostile_address_reaches_nobody_and_keeps_no_other_back(clock, office, address):
    bad, _good = due("bad", "good")
    Member.objects.filter(id=bad.id).update(email=address)
    assert send(clock) == 1
    assert [to for to, _mail in office.accepted] == ["good@example.org"]
    assert state(bad, "REMINDER") == State.REFUSED


def test_hostile_words_stay_in_their_line(clock, office, settings):
    settings.INSTANCE_NAME = "Mickle\r\nBcc: everybody@example.org"
    settings.DEFAULT_FROM_EMAIL = "Mickle <mickle@example.org>"
    due("who")
    Member.objects.update(name="Who\r\nBcc: x@example.org", username="who\nX: y")
    send(clock)
    [sent] = office.to("who@example.org")
    assert sent["To"] == "who@example.org"
    assert sent["Bcc"] is None
    assert sent["X"] is None
    assert "Mickle Bcc: everybody@example.org reminds you" in sent.get_content()


def test_the_headers_of_one_click(clock, office, client):
    due("who")
    send(clock)
    [sent] = office.to("who@example.org")
    link = sent["List-Unsubscribe"].strip(" <>")
    assert link.startswith("https://mickle.example/mail/stop/")
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent.get_content_type() == "text/plain"
    assert f"No more of these: {link}" in sent.get_content()


@pytest.mark.parametrize(("base", "headed"), [("", False), ("http://127.0.0.1:8000", False)])
def test_without_tls_no_mail_program_is_asked_to_post(clock, office, settings, base, headed):
    settings.BASE_URL = base
    due("who")
    send(clock)
    [sent] = office.to("who@example.org")
    assert (sent["List-Unsubscribe"] is not None) is headed
    assert ("You can end that in your settings." in sent.get_content()) is (base == "")


@pytest.mark.django_db(transaction=True)
def test_two_who_send_at_once_send_each_mail_once(clock, settings):
    clock.at = THREE_DAYS_BEFORE
    settings.MAILS_A_MINUTE = 1000
    due(*(f"m{n:02}" for n in range(30)))
    notices.plan(at=clock.at)
    with PostOffice() as office, override_settings(**office.settings):
        answers = together(4, lambda _client: notices.send_due(at=clock.at, go_on=lambda: None))
    assert all(isinstance(answer, int) for answer in answers), answers
    reached = [to for to, _mail in office.accepted]
    assert len(reached) == len(set(reached)) == 30


def test_mails_of_long_ago_are_forgotten_and_not_sent_anew(clock, office):
    due("a", "b")
    send(clock)
    assert notices.forget_old(at=clock.at + timedelta(days=400), go_on=lambda: None) == 0
    late = clock.at + timedelta(days=400, seconds=1)
    assert notices.forget_old(at=late, go_on=lambda: None) == 2
    assert send(clock) == 0
    assert len(office.accepted) == 2
