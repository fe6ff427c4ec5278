"""The answers that are kept: a reading forgets those made of other counts, and looks at no more."""

import pytest

from mickle.edge import _kept
from mickle.edge._answers import Answer, Found
from mickle.edge._asking import Asked
from mickle.edge._kept import Kept

ONE, TWO, THREE = (Asked(number) for number in (1, 2, 3))


class Looked(Answer):
    """An answer that counts how often one is looked at."""

    looks = 0

    def __getattribute__(self, name):
        Looked.looks += 1
        return super().__getattribute__(name)


def made(**of: tuple[Asked, int]) -> Answer:
    """An answer made of things and their counts."""
    answer = Looked(200, [], b"")
    answer.asked = tuple(asked for asked, _count in of.values())
    answer.found = [(asked.thing_id, count) for asked, count in of.values()]
    return answer


def read(**of: tuple[Asked, int]) -> dict[Asked, Found]:
    """What a reading found."""
    return {asked: (asked.thing_id, count) for asked, count in of.values()}


@pytest.fixture
def kept() -> Kept:
    """Three answers: of one thing, of another, and of both."""
    found = Kept()
    found.keep(b"one", made(a=(ONE, 5)))
    found.keep(b"two", made(a=(TWO, 7)))
    found.keep(b"both", made(a=(ONE, 5), b=(TWO, 7), c=(ONE, 5)))
    return found


def test_what_is_made_of_a_count_that_changed_is_forgotten(kept):
    kept.heard(read(a=(ONE, 6)), whole=False)
    assert list(kept) == [b"two"]
    assert kept.used() == {TWO}


def test_what_is_made_of_the_same_counts_stays(kept):
    kept.heard(read(a=(ONE, 5), b=(TWO, 7)), whole=True)
    assert list(kept) == [b"one", b"two", b"both"]


def test_a_thing_that_a_whole_reading_has_not_is_known_no_more(kept):
    kept.heard(read(a=(ONE, 5)), whole=False)
    assert len(kept) == 3
    kept.heard(read(a=(ONE, 5)), whole=True)
    assert list(kept) == [b"one"]


def test_a_reading_looks_only_at_answers_made_of_what_it_read(kept):
    for number in range(100, 400):
        kept.keep(b"%d" % number, made(a=(Asked(number), 1)))
    Looked.looks = 0
    kept.heard(read(a=(THREE, 9), b=(TWO, 7)), whole=False)
    assert (Looked.looks, len(kept)) == (0, 303)
    kept.heard(read(b=(TWO, 8)), whole=False)
    # Each of the two that go, for what else it is made of.
    assert (Looked.looks, len(kept)) == (2, 301)


def test_an_answer_of_other_counts_is_heard_as_a_reading(kept):
    kept.keep(b"newer", made(a=(TWO, 8)))
    assert list(kept) == [b"one", b"newer"]
    kept.heard(read(a=(TWO, 7)), whole=False)
    assert list(kept) == [b"one"]


def test_an_answer_takes_the_place_of_the_one_before(kept):
    kept.keep(b"one", made(a=(THREE, 1)))
    kept.heard(read(a=(ONE, 6)), whole=False)
    assert list(kept) == [b"two", b"one"]
    kept.heard(read(a=(THREE, 2)), whole=False)
    assert list(kept) == [b"two"]


def test_what_nobody_asks_for_is_read_no_more(kept):
    for _reading in range(_kept.UNUSED_READINGS):
        kept.get(b"two").unused = 0
        assert kept.used() == {ONE, TWO}
    assert kept.used() == {TWO}
    assert list(kept) == [b"two"]


def test_the_oldest_goes_and_nothing_of_it_stays(kept, monkeypatch):
    monkeypatch.setattr(_kept, "AT_MOST", 3)
    kept.keep(b"three", made(a=(THREE, 1)))
    assert list(kept) == [b"two", b"both", b"three"]
    for url in (b"x", b"y"):
        kept.keep(url, made(a=(THREE, 1)))
    assert kept.used() == {THREE}
    kept.clear()
    assert kept.used() == set()
    assert (len(kept), kept.get(b"x")) == (0, None)
