"""What a refusal looks like: a page in the language of its reader, never a blank one."""

import pytest
from django.test import Client
from django.utils import translation

from tests.people import instance_at

pytestmark = pytest.mark.django_db
GERMAN = {"Accept-Language": "de"}


@pytest.mark.parametrize("path", ["/nod/1", "/language"])
def test_the_address_a_button_sends_to_is_a_page_for_who_opens_it(client: Client, path: str):
    instance_at("2026-11")
    answer = client.get(path, headers=GERMAN)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert "Zur Startseite" in answer.content.decode()


def test_a_refusal_speaks_the_language_of_its_own_reader(client: Client):
    instance_at("2026-11")
    with translation.override("en"):
        answer = client.post("/language", headers=GERMAN | {"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert '<html lang="de"' in answer.content.decode()
    assert "kam von einer anderen Website" in answer.content.decode()
