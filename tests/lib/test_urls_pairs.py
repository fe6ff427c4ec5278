"""Our own pairs, each with its reason: what is one thing, and what a sloppy rule would merge."""

import json
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pytest

from mickle.lib.urls import identify


class Group(NamedTuple):
    why: str
    urls: list[str]


def groups(kind: str) -> list[Group]:
    files = sorted((Path(__file__).parent / "urls").glob("*.json"))
    found = [group for file in files for group in json.loads(file.read_text("utf-8"))[kind]]
    return [Group(group["why"], group["urls"]) for group in found]


SAME, DIFFERENT = groups("same"), groups("different")


@pytest.mark.parametrize("group", SAME, ids=lambda group: group.why)
def test_one_thing(group: Group) -> None:
    assert {identify(url).identity for url in group.urls} == {identify(group.urls[0]).identity}


@pytest.mark.parametrize("group", DIFFERENT, ids=lambda group: group.why)
def test_things_that_are_not_one(group: Group) -> None:
    merged = [
        (one, other)
        for one, other in combinations(group.urls, 2)
        if identify(one).identity == identify(other).identity
    ]
    assert merged == []


def test_there_are_enough_of_both_and_each_has_a_reason() -> None:
    for found, at_least in ((SAME, 500), (DIFFERENT, 500)):
        pairs = sum(len(group.urls) * (len(group.urls) - 1) // 2 for group in found)
        assert pairs >= at_least
        assert all(group.why.endswith(".") for group in found)
        assert len({group.why for group in found}) == len(found)
