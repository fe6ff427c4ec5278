"""A field left empty says what to type, in every form of every page."""

import inspect
from collections.abc import Iterator

import pytest
from allauth.account import forms as allauth_forms
from django import forms
from django.utils import translation

from mickle.instance import instance
from mickle.members import members
from mickle.web import forms as our_forms
from mickle.web import missing
from mickle.web.views import fee, giving, setup
from tests.people import instance_at
from tests.web.browsing import Person, signed_in

CODES = (allauth_forms.ConfirmLoginCodeForm, allauth_forms.ConfirmEmailVerificationCodeForm)


def shown() -> Iterator[type[forms.BaseForm]]:
    for module in (our_forms, setup, fee, giving):
        for _name, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, forms.Form) and kind.__module__ == module.__name__:
                yield kind
    yield from CODES


@pytest.mark.parametrize("kind", list(shown()), ids=lambda kind: kind.__name__)
def test_every_field_that_is_needed_has_a_sentence(kind: type[forms.BaseForm]) -> None:
    for name, field in kind.base_fields.items():
        if field.required and not isinstance(field.widget, forms.HiddenInput):
            assert missing.knows(name), name


class Any(forms.Form):
    title = forms.CharField(max_length=3)
    odd = forms.CharField()


def test_what_is_missing_is_said_in_the_language_of_the_page() -> None:
    form = Any({"title": ""})
    assert missing.problems(form["title"]) == ["Type a title."]
    assert missing.problems(form["odd"]) == ["Type something here."]
    with translation.override("de"):
        assert missing.problems(form["title"]) == ["Schreib einen Titel."]


def test_what_was_typed_wrong_is_said_as_before() -> None:
    (said,) = missing.problems(Any({"title": "long"})["title"])
    assert said.startswith("Ensure this value has at most 3 characters")


@pytest.mark.django_db
def test_a_page_says_what_to_type() -> None:
    instance_at(kind="DEMO")
    bob = signed_in(members.join(email="bob@example.org", at=instance.now()))
    bob.open("/mine/add").send("", category="text")
    assert "Type a web address" in bob.text
    assert "Type a title." in bob.text
    bob.open("/settings/close").send("", open_nods="settle")
    assert "Tick the box if you are sure." in bob.text
    visitor = Person.new().open("/sign-up").send("", email="")
    assert "Type an e-mail address" in visitor.text
    visitor.open("/sign-in").send("", login="")
    assert "Type your e-mail address." in visitor.text
    for person in (bob, visitor):
        assert "This field is required." not in person.text


@pytest.mark.django_db
def test_what_is_mistyped_is_said_in_words_of_ours() -> None:
    instance_at(kind="DEMO")
    olga = signed_in(members.join(email="olga@example.org", is_operator=True, at=instance.now()))
    olga.open("/operator/charities").send("", name="Trees", slug="A B", url="no where")
    assert "Small letters, digits and hyphens only" in olga.text
    assert "This is not a web address." in olga.text
    olga.open("/operator/cash-desk").send("", amount="5", key="1", received_date="soon")
    assert "Type a day, for example 2026-11-30." in olga.text
    olga.open("/mine/teams").send("", name="Band", who_0="olga", percent_0="half")
    assert "Type a whole percentage, for example 50." in olga.text
    visitor = Person.new().open("/sign-in").send("", login="nobody")
    assert "This is not an e-mail address." in visitor.text


@pytest.mark.django_db
def test_what_is_wrong_with_a_choice_is_said_at_it_and_reached_from_the_top() -> None:
    instance_at(kind="DEMO")
    bob = signed_in(members.join(email="bob@example.org", at=instance.now()))
    bob.open("/mine/show").send("", url="https://bob.example")
    assert 'href="#id_method"' in bob.html
    assert '<fieldset class="stack" id="id_method" aria-describedby="id_method_error">' in bob.html
    assert 'id="id_method_error">Choose one of the ways.<' in bob.html
