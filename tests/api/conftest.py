"""Who asks: Alice's feed reader, in the open month."""

import json
from importlib.resources import files
from typing import Any

import pytest
from django.http import HttpResponse
from jsonschema import Draft202012Validator

from mickle.api import api
from mickle.instance import instance
from mickle.lib import months
from mickle.members.models import Member
from tests import people
from tests.api.calling import Caller, caller

DESCRIPTION: dict[str, Any] = json.loads(files("mickle.api").joinpath("openapi.json").read_bytes())


@pytest.fixture
def alice() -> Member:
    people.instance_at(months.text(instance.open_month()))
    return people.member("alice", funds="20.00")


@pytest.fixture
def reader(alice: Member) -> Caller:
    return caller(alice)


@pytest.fixture(autouse=True)
def _as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold every answer of a call against the description."""
    real = api._guarded

    def held(request: Any) -> HttpResponse:
        answer = real(request)
        check(request.path_info, str(request.method).lower().replace("head", "get"), answer)
        return answer

    monkeypatch.setattr(api, "_guarded", held)


def check(path: str, method: str, answer: HttpResponse) -> None:
    """Whether the description has this answer; of a call that it has not, a refusal is enough."""
    for template, calls in DESCRIPTION["paths"].items():
        fits = template == path or ("{" in template and path.startswith(template.partition("{")[0]))
        if fits and method in calls:
            said = calls[method]["responses"][str(answer.status_code)]
            named = said.get("$ref", "").rpartition("/")[2]
            said = DESCRIPTION["components"]["responses"][named] if named else said
            assert said.get("headers", {}).keys() <= answer.headers.keys()
            if "content" not in said:
                assert answer.content == b""
                return
            schema = said["content"]["application/json"]["schema"]
            whole = schema | {"components": DESCRIPTION["components"]}
            Draft202012Validator(whole).validate(json.loads(answer.content))
            return
    assert answer.status_code >= 400 or method == "options", (method, path)
