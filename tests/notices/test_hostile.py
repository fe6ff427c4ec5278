"""T19: what a stranger wrote is a plain line of a mail, whichever mail and whatever it was."""

import unicodedata
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from email.policy import default

import pytest

from mickle.members import members
from mickle.members.models import Charity, Member
from mickle.nods import nods
from mickle.notices import _facts, _post, _texts, letters
from mickle.notices._facts import Facts, Idle, Settled
from mickle.notices._teams import Question, Questions
from mickle.notices.letters import Waits
from mickle.notices.models import Kind, Letter
from tests.browser.payloads import PAYLOADS
from tests.notices.mailing import AFTER_THE_GRACE
from tests.people import MID_NOVEMBER, NOVEMBER, member, thing

PLAIN = "Plain words"
TEXTS = (
    *PAYLOADS,
    "x\r\nBcc: eve@evil.example",
    "x\nBcc: eve@evil.example\n\nMore",
    "x\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<t19>",
    "x\u2028Subject: other\u2029\x85\x0b\x0c\x1c\x1d",
    "=?utf-8?q?=0D=0ABcc:_eve@evil.example?=",
    "-- \nhttps://evil.example/stop",
    "\n".join(["https://evil.example/"] * 50),
    "\ud83d\udc4d".encode("utf-16", "surrogatepass").decode("utf-16") * 200,
    "%(left)s %s %% {0} {x}",
)
HEADERS = {
    *("Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Subject", "From", "To"),
    *("Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post"),
}


@pytest.fixture
def alice(clock) -> Member:
    """Somebody with a statement: given to one page, received for another."""
    who, giver = member("alice", funds="9.00"), member("giver", funds="9.00")
    members.note_top_up(member=who, amount_micros=2_000_000, month=NOVEMBER - 1)
    nods.give(member=who, thing=thing("one"), at=MID_NOVEMBER)
    nods.give(member=giver, thing=thing("two", who), at=MID_NOVEMBER)
    clock.settle(AFTER_THE_GRACE)
    return who


def facts_of(alice: Member) -> list[tuple[Kind, object]]:
    """For each mail that holds a text of somebody's: its facts, with such a text in its place."""
    settled = _facts._of_settled(alice, NOVEMBER)
    assert settled is not None

    def idle(text: str) -> Facts:
        return Idle(5_000_000, Charity(name=text))

    def statement(text: str) -> Facts:
        (share,) = settled.gave.shares
        called = share._replace(thing=share.thing._replace(title=text))
        return replace(settled, gave=replace(settled.gave, shares=[called]))

    def to_a_charity(text: str) -> Facts:
        return Settled(replace(settled.gave, charity=Charity(name=text)), settled.received)

    def asked(text: str) -> Facts:
        return Questions([Question(text, text, 7, 30), Question(text, text, 7, 0)])

    of_charities = [(kind, idle) for kind in (Kind.REMINDER, Kind.CLOSE, Kind.IDLE_30)]
    statements = [(Kind.STATEMENT, statement), (Kind.STATEMENT, to_a_charity)]
    return [*of_charities, *statements, (Kind.TEAM, asked)]


def mail(facts: Facts, kind: Kind) -> Message:
    stop = "https://mickle.example/mail/stop/x"
    text = _texts.text(facts, kind=kind, month=NOVEMBER, stop_url=stop)
    return sent(_post.letter("x.1", text.subject, text.body, "alice@example.org", stop))


def sent(message) -> Message:
    """The mail as whoever reads it has it."""
    return message_from_bytes(message.message().as_bytes(), policy=default)


def check(found: Message, plain: Message) -> None:
    """As harmless as the mail that holds plain words: its headers, its one part, its lines."""
    assert set(found.keys()) <= HEADERS
    assert sorted(found.keys()) == sorted(plain.keys())
    assert (found["To"], found["From"]) == (plain["To"], plain["From"])
    assert found.get_content_type() == "text/plain"
    body = found.get_content()
    strange = {c for c in body + found["Subject"] if unicodedata.category(c) in ("Cc", "Cf")}
    assert strange <= {"\n"}
    assert len(body.splitlines()) == len(plain.get_content().splitlines())


def test_no_text_of_somebodys_is_more_than_a_line_of_a_mail(alice):
    for kind, made in facts_of(alice):
        plain = mail(made(PLAIN), kind)
        assert PLAIN in plain.get_content()
        for text in TEXTS:
            check(mail(made(text), kind), plain)


def test_nor_is_the_name_of_a_site_in_a_letter_to_its_maker(clock, settings):
    row = Letter.objects.create(
        host="x.example", year=2026, mark="m", state="CLAIMED", told_at=MID_NOVEMBER
    )

    def letter(host: str, instance: str) -> Message:
        settings.INSTANCE_NAME = instance
        waits = Waits(host, 3, 1_000_000, "")
        return sent(letters._message(row, waits, "bob@x.example"))

    plain = letter("x.example", PLAIN)
    for text in TEXTS:
        check(letter(text, text), plain)
