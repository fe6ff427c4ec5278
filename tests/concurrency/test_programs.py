"""Eight programs nod at one new address at once: one thing, one nod each, however it is written."""

import json

import pytest
from django.test import Client

from mickle.api import _asking
from mickle.instance import instance
from mickle.lib import months
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.programs import programs
from mickle.things.models import Thing
from tests import people
from tests.concurrency.together import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CLIENTS, ROUNDS = 8, 5
WAYS = ("https://new.example/{}", "http://www.new.example/{}/", "https://NEW.example/{}?utm_id=1")


def test_who_nods_at_a_new_address_at_once_nods_at_one_thing():
    _asking.limit.cache_clear()
    people.instance_at(months.text(instance.open_month()))
    givers = [people.member(f"m{n}", funds="5.00") for n in range(CLIENTS // 2)]
    tokens = [programs.make(member=one, name="1", at=instance.now()) for one in givers]

    def nod(client: int) -> list[int]:
        """Two clients for each token: of the same nod asked for twice one is new."""
        headers = {"Authorization": f"Bearer {tokens[client // 2]}"}
        browser, answers = Client(), []
        for n in range(ROUNDS):
            wish = json.dumps({"url": WAYS[client % len(WAYS)].format(n)})
            kind = "application/json"
            answer = browser.post("/api/v1/nods", wish, content_type=kind, headers=headers)
            answers.append(answer.status_code)
        return answers

    answers = [status for one in together(CLIENTS, nod) for status in one]
    assert sorted(answers) == [200] * (len(answers) // 2) + [201] * (len(answers) // 2)
    assert Thing.objects.count() == ROUNDS
    assert Nod.objects.count() == len(givers) * ROUNDS
    assert {nods.count(thing.id) for thing in Thing.objects.all()} == {len(givers)}
    assert nods.wrong_counts() == []
