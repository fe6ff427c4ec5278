"""T18: a page is read once a day and a host once a second, over one connection, whoever asks."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from mickle.lib import _fetch_cache, _fetch_turns, fetch
from mickle.lib._fetch_cache import Answer, Cache
from mickle.lib._fetch_turns import Turns
from mickle.lib.fetch import Forbidden, Limits, Unreachable
from tests.lib.asking import SharedClock
from tests.lib.street import AT, Clock, House, fetcher, house, page, to

PAGES = 20
TIMES = 250


@pytest.fixture
def there() -> Iterator[House]:
    with house({"*": page()}) as server:
        yield server


def reader(folder: Path, there: House, **more: object) -> fetch.Fetcher:
    return fetcher(folder, ("127.0.0.1", there.port), **more)


def test_ten_thousand_ask_and_a_host_hardly_notices(tmp_path, there):
    clock = SharedClock(tmp_path / "clock")
    times: list[float] = []

    def begun(_path: str) -> None:
        times.append(clock.read())
        # Long enough for others to come in between, if nothing held them.
        time.sleep(0.005)

    there.begun = begun
    words = [sys.executable, "-m", "tests.lib.asking", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    running = [
        subprocess.Popen(
            [*words, str(there.port), str(PAGES), str(TIMES)],
            stdout=subprocess.PIPE,
            env=environment,
        )
        for _process in range(2)
    ]
    while len(list(tmp_path.glob("ready-*"))) < len(running):
        time.sleep(0.01)
        assert all(process.poll() is None for process in running)
    (tmp_path / "go").touch()
    came = [json.loads(process.communicate()[0]) for process in running]
    clock.close()
    assert sum(sum(one.values()) for one in came) == 2 * PAGES * TIMES == 10_000
    assert {code for one in came for code in one} == {"kept", "read"}
    assert sorted(there.asked) == sorted(f"/{n}" for n in range(PAGES))
    assert there.most_open == 1
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert round(min(gaps), 6) >= 1


def test_many_at_once_read_one_page_once(tmp_path, there):
    found = []
    waiting: set[int] = set()

    def sleep(_seconds: float) -> None:
        waiting.add(threading.get_ident())
        time.sleep(0.001)

    def begun(_path: str) -> None:
        while len(waiting) < 19:
            time.sleep(0.001)

    there.begun = begun
    one = reader(tmp_path, there, sleep=sleep, limits=Limits(patience_s=1e9))
    threads = [
        threading.Thread(target=lambda: found.append(one.get(there.url(), at=AT)))
        for _n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert there.asked == ["/"]
    assert [got.from_cache for got in found].count(False) == 1
    # The lock of a host stays for its time, that of a page goes.
    assert len(list((tmp_path / "turns").iterdir())) == 1


def test_a_day_later_it_is_read_again_and_not_sooner(tmp_path, there):
    one = reader(tmp_path, there)
    for hours, asked in ((0, 1), (23.9, 1), (24, 2), (47, 2), (48.1, 3)):
        one.get(there.url(), at=AT + timedelta(hours=hours))
        assert len(there.asked) == asked, hours


def test_a_new_look_is_had_by_asking_for_one(tmp_path, there):
    one = reader(tmp_path, there)
    one.get(there.url(), at=AT)
    later = AT + timedelta(minutes=5)
    assert one.get(there.url(), at=later, fresh_after=AT).from_cache
    assert not one.get(there.url(), at=later, fresh_after=later).from_cache
    assert one.get(there.url(), at=later, fresh_after=later).from_cache
    assert len(there.asked) == 2


def test_new_looks_keep_the_gap_between_requests(tmp_path, there):
    clock = Clock()
    one = reader(tmp_path, there, clock=clock.read, sleep=clock.sleep)
    times: list[float] = []
    there.begun = lambda _path: times.append(clock.read())
    for n in range(5):
        later = AT + timedelta(seconds=n)
        one.get(there.url(), at=later, fresh_after=later)
    assert [b - a for a, b in pairwise(times)] == [1.0] * 4


def test_a_clock_set_back_makes_nobody_wait_for_long(tmp_path, there):
    clock = Clock()
    one = reader(tmp_path, there, clock=clock.read, sleep=clock.sleep)
    one.get(there.url("/a"), at=AT)
    clock.now -= 100_000
    before = clock.now
    one.get(there.url("/b"), at=AT)
    assert clock.now - before == 1


def test_a_redirect_waits_for_its_turn_and_is_kept_too(tmp_path, there):
    clock = Clock()
    times: list[float] = []
    there.begun = lambda _path: times.append(clock.read())
    there.pages |= {"/a": to("/end"), "/b": to("/end")}
    one = reader(tmp_path, there, clock=clock.read, sleep=clock.sleep)
    for path in ("/a", "/b", "/end"):
        one.get(there.url(path), at=AT)
    assert there.asked == ["/a", "/end", "/b"]
    assert [b - a for a, b in pairwise(times)] == [1.0] * 2


@pytest.mark.parametrize(
    ("answer", "code", "minutes"),
    [
        (page(b"", status="503 No"), "server", 10),
        (page(b"", kind="image/png"), "type", 24 * 60),
        (b"no http", "broken", 10),
    ],
)
def test_a_failure_is_kept_too_but_for_a_shorter_time(tmp_path, there, answer, code, minutes):
    there.pages["/"] = answer
    one = reader(tmp_path, there)
    for passed in (0, minutes - 1, minutes):
        with pytest.raises(fetch.Failed) as caught:
            one.get(there.url(), at=AT + timedelta(minutes=passed))
        assert caught.value.code == code
    assert len(there.asked) == 2


def test_a_failure_takes_nothing_away_from_who_needs_no_new_look(tmp_path, there):
    """It is remembered beside what was read: for who does, and for when that is too old."""
    there.pages["/"] = page(b"good")
    one = reader(tmp_path, there)
    one.get(there.url(), at=AT)
    there.pages["/"] = page(b"", status="500 Oops")
    almost = AT + timedelta(hours=23, minutes=55)
    for _twice in range(2):
        with pytest.raises(Unreachable, match="500"):
            one.get(there.url(), at=almost, fresh_after=almost)
    for later in (almost, AT + timedelta(hours=23, minutes=59)):
        found = reader(tmp_path, there).get(there.url(), at=later)
        assert (found.text, found.fetched_at, found.from_cache) == ("good", AT, True)
    with pytest.raises(Unreachable, match="500"):
        one.get(there.url(), at=AT + timedelta(days=1))
    assert len(there.asked) == 2
    there.pages["/"] = page(b"better")
    assert one.get(there.url(), at=AT + timedelta(days=1, minutes=6)).text == "better"


def test_what_a_site_says_now_takes_the_place_of_what_it_said(tmp_path, there):
    one, later = reader(tmp_path, there), AT + timedelta(hours=1)
    one.get(there.url(), at=AT)
    there.pages["*"] = page(kind="image/png")
    for fresh_after in (later, None):
        with pytest.raises(Forbidden):
            one.get(there.url(), at=later, fresh_after=fresh_after)
    assert len(there.asked) == 2


def test_what_is_not_there_is_asked_for_again_in_an_hour(tmp_path, there):
    there.pages["/"] = page(b"", status="404 Not Found")
    one = reader(tmp_path, there)
    for minutes in (0, 59, 60):
        assert one.get(there.url(), at=AT + timedelta(minutes=minutes)).status == 404
    assert len(there.asked) == 2


def test_who_waits_too_long_is_told_to_come_back(tmp_path, there):
    clock = Clock()
    turns = Turns(tmp_path / "turns", clock=clock.read, sleep=clock.sleep)
    one = reader(tmp_path, there)
    with turns.at_host("127.0.0.1", speaker="127.0.0.1", patience_s=1):
        with pytest.raises(Unreachable, match="read by others") as caught:
            one.get(there.url(), at=AT)
        assert caught.value.code == "busy"
    # That others were there is no word about the page, and takes the place of none.
    assert not list((tmp_path / "pages").iterdir())
    assert one.get(there.url(), at=AT).status == 200


def test_a_lock_whose_file_was_taken_away_locks_nothing(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    whole = _fetch_turns.fcntl.flock

    def too_late(held: int, how: int) -> None:
        """Between opening and locking, who had it before took the file away."""
        path.unlink()
        whole(held, how)

    monkeypatch.setattr(_fetch_turns.fcntl, "flock", too_late)
    assert _fetch_turns._held(path) is None
    monkeypatch.setattr(_fetch_turns.fcntl, "flock", whole)
    held = _fetch_turns._held(path)
    assert held is not None
    assert _fetch_turns._held(path) is None
    os.close(held)


def test_locks_nobody_asks_for_are_removed_but_not_from_under_anybody(tmp_path):
    clock = Clock()
    turns = Turns(tmp_path, clock=clock.read, sleep=clock.sleep)
    for host in ("old", "new", "held"):
        with turns.at_host(host, speaker=host, patience_s=1):
            pass
    paths = {
        host: next(p for p in tmp_path.iterdir() if _is_of(p, host)) for host in ("old", "held")
    }
    for path in paths.values():
        os.utime(path, (1, 1))
    held = _fetch_turns._held(paths["held"])
    assert held is not None
    turns.prune()
    os.close(held)
    assert not paths["old"].exists()
    assert len(list(tmp_path.iterdir())) == 2


def _is_of(path: Path, host: str) -> bool:
    return path.name == f"host-{_fetch_turns._digest(host)}"


def test_files_are_few_and_small_and_the_oldest_go(tmp_path):
    cache = Cache(tmp_path, files=10)
    for n in range(25):
        cache.keep(f"u{n}", Answer(AT.timestamp(), 200, text=str(n)))
        os.utime(cache._path(f"u{n}"), (n, n))
    cache.prune()
    found = [cache.find(f"u{n}", at=AT, fresh_after=None) for n in range(25)]
    assert [n for n, one in enumerate(found) if one] == list(range(15, 25))
    three = sum(cache._path(f"u{n}").stat().st_size for n in (22, 23, 24))
    Cache(tmp_path, files=10, files_bytes=three).prune()
    assert len(list(tmp_path.iterdir())) == 3


def test_pages_are_pruned_while_they_are_read(tmp_path, there, monkeypatch):
    monkeypatch.setattr(_fetch_cache, "_PRUNE_EVERY", 4)
    one = reader(tmp_path, there)
    one._cache = Cache(tmp_path / "pages", files=3)
    for n in range(9):
        one.get(there.url(f"/{n}"), at=AT)
    assert len(list((tmp_path / "pages").iterdir())) == 3


@pytest.mark.parametrize("data", [b"", b"x", b"x\x9c\x03\x00\x00\x00\x00\x01", None])
def test_a_file_that_was_half_written_is_read_anew(tmp_path, there, data):
    one = reader(tmp_path, there)
    one.get(there.url(), at=AT)
    path = one._cache._path(there.url())
    path.write_bytes(path.read_bytes()[:-5] if data is None else data)
    assert not one.get(there.url(), at=AT).from_cache


def test_only_its_owner_reads_what_is_kept(tmp_path, there):
    one = reader(tmp_path / "new", there)
    one.get(there.url(), at=AT)
    for path in (tmp_path / "new").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


ROBOTS = """User-agent: *
Disallow: /for-people
User-agent: mickle
Disallow: /secret
Allow: /secret/not
"""


def test_robots_txt_decides_where_nobody_asked_for_the_page(tmp_path, there):
    there.pages |= {"/robots.txt": page(ROBOTS.encode(), kind="text/plain"), "/on": to("/secret")}
    one = reader(tmp_path, there)
    for path in ("/secret", "/secret/x", "/on"):
        with pytest.raises(Forbidden, match=r"robots\.txt"):
            one.get(there.url(path), at=AT, crawl=True)
    for path in ("/", "/secret/not", "/for-people"):
        assert one.get(there.url(path), at=AT, crawl=True).status == 200
    assert there.asked.count("/robots.txt") == 1
    assert "/secret" not in there.asked
    # A member who asks for a proof asks for the very page.
    assert one.get(there.url("/secret"), at=AT).status == 200
    with pytest.raises(Forbidden):
        one.get(there.url("/secret"), at=AT, crawl=True)


@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        (page(b"", status="404 No"), True),
        (page(b"", kind="image/png"), True),
        (to("/robots.txt"), True),
        (page(b"\xff\xfe\x00nonsense" * 99, kind="text/plain"), True),
        (page(b"User-agent: *\nDisallow: /" + b"*a" * 9999, kind="text/plain"), True),
        (page(b"User-agent: *\nDisallow: /", kind="text/plain"), False),
    ],
)
def test_a_site_without_a_robots_txt_that_can_be_read_asks_for_nothing(
    tmp_path, there, answer, allowed
):
    there.pages["/robots.txt"] = answer
    one = reader(tmp_path, there)
    if allowed:
        assert one.get(there.url("/" + "a" * 1500), at=AT, crawl=True).status == 200
    else:
        with pytest.raises(Forbidden):
            one.get(there.url(), at=AT, crawl=True)


def test_a_robots_txt_that_fails_keeps_programs_away_for_now(tmp_path, there):
    there.pages["/robots.txt"] = page(b"", status="500 No")
    with pytest.raises(Unreachable):
        reader(tmp_path, there, limits=Limits()).get(there.url(), at=AT, crawl=True)
    assert there.asked == ["/robots.txt"]
