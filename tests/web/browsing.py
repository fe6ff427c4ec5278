"""A person with a browser, over HTTP: signing up by the mailed code, pressing buttons of pages."""

import re
from dataclasses import dataclass
from html import unescape

from django.core import mail
from django.http import HttpResponse
from django.test import Client

from mickle.members.models import Member

_FORM = re.compile(r"<form\b(?P<head>[^>]*)>(?P<body>.*?)</form>", re.DOTALL)
_FIELD = re.compile(r'<input type="hidden" name="(?P<name>[^"]+)" value="(?P<value>[^"]*)"')
_CODE = re.compile(r"^ {4}(\S+)$", re.MULTILINE)


@dataclass
class Person:
    """Somebody at a browser that checks CSRF like the real ones make the server do."""

    client: Client
    page: HttpResponse | None = None

    @classmethod
    def new(cls) -> "Person":
        return cls(Client(enforce_csrf_checks=True))

    @property
    def text(self) -> str:
        """The page as people read it: without tags, spaces folded."""
        body = re.sub(r"<(script|style|svg).*?</\1>", " ", self.html, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())

    @property
    def html(self) -> str:
        return self.page.content.decode()

    @property
    def address(self) -> str:
        return self.page.request["PATH_INFO"]

    @property
    def member(self) -> Member:
        return Member.objects.get(id=self.client.session["_auth_user_id"])

    def open(self, path: str, **query: str) -> "Person":
        self.page = self.client.get(path, query, follow=True)
        return self

    def send(self, action: str, **fields: str) -> "Person":
        """Send the form of this page with this action (""= this page) and its hidden fields."""
        form = self._form(action, fields)
        hidden = {name: unescape(value) for name, value in _FIELD.findall(form["body"])}
        self.page = self.client.post(action or self._url(), {**hidden, **fields}, follow=True)
        return self

    def _url(self) -> str:
        request = self.page.request
        query = request["QUERY_STRING"]
        return request["PATH_INFO"] + (f"?{query}" if query else "")

    def _form(self, action: str, fields: dict[str, str]) -> re.Match[str]:
        wanted = f'action="{action}"'
        for form in _FORM.finditer(self.html):
            names = set(re.findall(r'name="([^"]+)"', form["body"]))
            fits = 'method="post"' in form["head"] and set(fields) - {"why"} <= names
            pressed = f'value="{fields["deed"]}"' in form["body"] if "deed" in fields else True
            if fits and pressed and (wanted in form["head"] if action else True):
                return form
        raise AssertionError(f"no form for {action or 'this page'} with {sorted(fields)}")

    def sign_up(self, email: str, **fields: str) -> "Person":
        """From the form to the first page of a member, by the mailed code."""
        self.open("/sign-up").send("", email=email, **fields)
        return self.send("", code=mailed_code(email))

    def sign_in(self, email: str) -> "Person":
        """By a mailed code."""
        self.open("/sign-in").send("", login=email)
        return self.send("", code=mailed_code(email))


def mailed_code(email: str) -> str:
    """The code of the newest mail to an address."""
    newest = [sent for sent in mail.outbox if sent.to == [email.lower()]][-1]
    return _CODE.search(newest.body)[1]


def signed_in(member: Member) -> Person:
    """A member's browser, already signed in."""
    person = Person.new()
    person.client.force_login(member, backend="allauth.account.auth_backends.AuthenticationBackend")
    return person
