"""The cast of the tests: Alice gives, Bob creates, Charlie watches; and short words for money."""

from datetime import UTC, datetime

from mickle.instance.models import Instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.lib.money import parse
from mickle.members import members
from mickle.members.models import Member
from mickle.things.models import Thing

NOVEMBER = months.parse("2026-11")
MID_NOVEMBER = datetime(2026, 11, 15, 12, tzinfo=UTC)
EARLY_DECEMBER = datetime(2026, 12, 4, 12, tzinfo=UTC)


def EUR(text: str) -> int:
    """Micros; reads as a unit: EUR("6.00")."""
    return parse(text)


def instance_at(first_month: str = "2026-11", kind: str = "TEST") -> Instance:
    """An instance whose books begin with a month; tests pass `at=` and never read the clock."""
    first = months.parse(first_month)
    Instance.objects.filter(id=1).delete()
    return Instance.objects.create(
        id=1,
        kind=kind,
        first_month=first,
        closed_through=first - 1,
        made_at=months.start(first),
    )


def member(
    name: str, *, funds: str = "0", budget: str = "5.00", month: int = NOVEMBER - 1
) -> Member:
    """Somebody with funds topped up in a month (the one before November unless said)."""
    who = members.join(email=f"{name}@example.org", username=name, at=MID_NOVEMBER)
    if budget == "paused":
        members.set_budget(member=who, at=months.start(month), paused=True)
    elif EUR(budget) != EUR("5.00"):
        members.set_budget(member=who, at=months.start(month), amount_micros=EUR(budget))
    if EUR(funds):
        top_up(who, funds, month=month)
    who.refresh_from_db()
    return who


def top_up(who: Member, amount: str, *, month: int = NOVEMBER - 1, key: str = "") -> None:
    """Money that arrived, straight into the books."""
    at = months.start(month)
    ledger.post(
        key=key or f"top-up:{who.username}:{amount}:{month}",
        debit=ledger.PROVIDER,
        credit=ledger.funds(who.id),
        amount_micros=EUR(amount),
        reason="TOP_UP",
        at=at,
    )
    members.note_top_up(member=who, amount_micros=EUR(amount), month=month)


def creator(name: str) -> Member:
    """Somebody who has put 2.00 in and may receive."""
    who = member(name)
    members.note_top_up(member=who, amount_micros=EUR("2.00"), month=NOVEMBER - 1)
    who.refresh_from_db()
    return who


def thing(name: str, owner: Member | None = None, *, thing_id: int | None = None) -> Thing:
    """A page on another host."""
    url = f"https://{name}.example/"
    return Thing.objects.create(
        id=thing_id,
        identity=f"v1:{name}.example/",
        url=url,
        raw_url=url,
        host=f"{name}.example",
        title=name.title(),
        owner=owner,
        created_at=MID_NOVEMBER,
    )
