"""What every page needs: the instance, its clock and the member's funds, each read when used."""

from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.web import parking

_SETTINGS = {
    "name": "INSTANCE_NAME",
    "operator": "OPERATOR_NAME",
    "currency": "CURRENCY",
    "languages": "LANGUAGES",
    "budget_min": "BUDGET_MIN_MICROS",
    "budget_max": "BUDGET_MAX_MICROS",
    "budget_default": "BUDGET_DEFAULT_MICROS",
    "payout_min": "PAYOUT_MIN_MICROS",
    "receive_min": "RECEIVE_MIN_MICROS",
    "notice_above": "NOTICE_ABOVE_MICROS",
    "source_url": "SOURCE_URL",
}


class Site:
    """The instance as templates see it: `mickle`, as allauth's views have a `site` of their own."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getattr__(self, name: str) -> Any:
        """The settings that pages speak of."""
        try:
            return getattr(settings, _SETTINGS[name])
        except KeyError as unknown:
            raise AttributeError(name) from unknown

    @property
    def invite_only(self) -> bool:
        """Whether sign-up takes an invitation."""
        return bool(settings.SIGN_UP == "invite")

    @property
    def receive_funded(self) -> bool:
        """Whether those who receive have to have given."""
        return bool(settings.RECEIVE_POLICY == "funded")

    @property
    def idle_to_charity(self) -> bool:
        """Whether a month without a nod gives to charity; in arrears it gives nothing."""
        return bool(settings.IDLE_POLICY == "charity" and settings.MODE == "prepaid")

    @property
    def arrears(self) -> bool:
        """Whether members are charged after a month, and not before."""
        return bool(settings.MODE == "arrears")

    @property
    def mail_folder(self) -> str:
        """Where mail lies when no server sends it; told only on the machine itself."""
        host = self._request.get_host().partition(":")[0]
        if settings.EMAIL_HOST or host not in ("localhost", "127.0.0.1"):
            return ""
        return str(settings.EMAIL_FILE_PATH)

    @property
    def kept_nod(self) -> bool:
        """Whether a nod of this browser waits for its owner to sign in."""
        return parking.parked(self._request) is not None

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
