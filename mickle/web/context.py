"""What every page needs: the instance, its clock and the member's funds, each read when used."""

from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from mickle.instance import instance
from mickle.ledger import ledger


class Site:
    """The instance as templates see it, as `mickle` (allauth's views have a `site` of their own)."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        self._request = request

    name = property(lambda self: settings.INSTANCE_NAME)
    operator = property(lambda self: settings.OPERATOR_NAME)
    currency = property(lambda self: settings.CURRENCY)
    languages = property(lambda self: settings.LANGUAGES)
    invite_only = property(lambda self: settings.SIGN_UP == "invite")
    budget_min = property(lambda self: settings.BUDGET_MIN_MICROS)
    budget_max = property(lambda self: settings.BUDGET_MAX_MICROS)
    budget_default = property(lambda self: settings.BUDGET_DEFAULT_MICROS)
    payout_min = property(lambda self: settings.PAYOUT_MIN_MICROS)
    receive_min = property(lambda self: settings.RECEIVE_MIN_MICROS)
    receive_funded = property(lambda self: settings.RECEIVE_POLICY == "funded")
    idle_to_charity = property(lambda self: settings.IDLE_POLICY == "charity")

    @property
    def mail_folder(self) -> str:
        """Where mail lies when no server sends it; told only on the machine itself."""
        host = self._request.get_host().partition(":")[0] if self._request else ""
        if settings.EMAIL_HOST or host not in ("localhost", "127.0.0.1"):
            return ""
        return str(settings.EMAIL_FILE_PATH)

    @cached_property
    def kind(self) -> str:
        """REAL, TEST or DEMO."""
        return str(instance.here().kind)

    @cached_property
    def now(self) -> datetime:
        """The instance's clock."""
        return instance.now()

    @cached_property
    def month(self) -> int:
        """The open month."""
        return instance.open_month()

    @cached_property
    def fee(self) -> int:
        """The open month's fee in hundredths of a percent."""
        return instance.fee_basis_points(self.month)

    @cached_property
    def funds(self) -> int:
        """What the member who looks has to give."""
        user = getattr(self._request, "user", None)
        return ledger.balance(ledger.funds(user.pk)) if user and user.is_authenticated else 0


def page(request: HttpRequest) -> dict[str, Any]:
    """The context processor."""
    return {"mickle": Site(request)}
