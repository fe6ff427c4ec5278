"""Pages of a blog, and members with a pass for it."""

from datetime import UTC, datetime

from mickle.lib import months
from mickle.passes import passes
from mickle.things import things
from mickle.things.models import Thing

SITE = "blog.example"
NOW = datetime.now(UTC)
MONTH = months.of(NOW)


def page(number: int = 1, host: str = SITE) -> Thing:
    return things.find_or_add(url=f"https://{host}/{number}", at=NOW)


def passed(member, site: str = SITE) -> str:
    """The secret of a new pass."""
    code = passes.grant(member=member, site=site, nonce="n", at=NOW)
    return passes.exchange(code=code, nonce="n", at=NOW).token
