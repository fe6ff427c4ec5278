"""A program that asks the API as one of a member's would."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.test import Client

from mickle.api import _asking
from mickle.members.models import Member
from mickle.programs import programs
from tests.people import MID_NOVEMBER

NODS, THINGS, ME = "/api/v1/nods", "/api/v1/things", "/api/v1/me"


@dataclass
class Caller:
    """Asks with a token, or with none; its browser checks what a real one makes the server do."""

    token: str = ""
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> HttpResponse:
        """Send what is no text as JSON."""
        if self.token:
            headers = {"Authorization": f"Bearer {self.token}"} | headers
        sent = body if isinstance(body, str | bytes) else json.dumps(body)
        kind = headers.pop("kind", "application/json")
        more: dict[str, Any] = {} if body is None else {"data": sent, "content_type": kind}
        return self.client.generic(method, path, headers=headers, **more)

    def nod(self, url: object, **more: object) -> HttpResponse:
        """Nod at an address."""
        return self.ask("POST", NODS, {"url": url, **more})

    def look(self, url: str) -> HttpResponse:
        """Ask what an address is."""
        return self.client.get(
            THINGS, {"url": url}, headers={"Authorization": f"Bearer {self.token}"}
        )


def caller(member: Member, name: str = "reader") -> Caller:
    """A new program of a member, that has asked for nothing in this process."""
    _asking.limit.cache_clear()
    return Caller(programs.make(member=member, name=name, at=MID_NOVEMBER))


def error(answer: HttpResponse) -> tuple[int, str]:
    """Status and code of a refusal, which is JSON with one code and one sentence."""
    found = answer.json()
    assert set(found) == {"error", "error_description"}, found
    assert found["error_description"].endswith("."), found
    assert answer["Content-Type"].startswith("application/json")
    return answer.status_code, found["error"]
