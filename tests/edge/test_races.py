"""Two processes that write at once, one ask that spoils its batch, crowds in front of the queue."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from django.db import OperationalError, connection, transaction

from mickle.edge import _door, _queue
from mickle.edge._database import Database
from mickle.edge._giving import Batch
from mickle.edge._judging import Ask
from mickle.edge._origins import Askers
from mickle.edge._threads import Worker
from mickle.edge.edge import Policy
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods import write as statements
from mickle.nods.models import Nod
from mickle.passes import passes
from mickle.passes.models import SitePass
from mickle.passes.write import hashed
from mickle.things import things
from mickle.things.models import Thing
from tests import people
from tests.edge.passed import MONTH, NOW, SITE, page, passed
from tests.edge.street import Street
from tests.edge.writing import NO_LIMIT, write

ROUNDS = 30


def at_once(*deeds: Callable[[], object]) -> list[object]:
    gate, answers = threading.Barrier(len(deeds)), []

    def one(deed: Callable[[], object]) -> None:
        gate.wait()
        try:
            answers.append(deed())
        except Exception as error:  # noqa: BLE001 - the test looks at what came back
            answers.append(error)

    threads = [threading.Thread(target=one, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_another_process_hears_of_a_nod_that_counts(two, alice):
    one, other = two
    # The first question begins to listen on PostgreSQL.
    other.wait(0)
    while other.wait(0.2):
        pass
    assert not write(one, Ask((hashed(passed(alice)),), page().id, ""))[0].reason
    assert other.wait(5)


def test_two_take_backs_at_once_count_once(two, alice, bob):
    token, one = hashed(passed(alice)), page()
    nods.give(member=bob, thing=one, at=NOW)
    for _round in range(ROUNDS):
        nods.give(member=alice, thing=one, at=NOW)
        ask = Ask((token,), one.id, "", take_back=True)
        answers = at_once(*(partial(write, database, ask) for database in two))
        assert sorted(verdict.reason for (verdict,) in answers) == ["", "no-nod"]
        assert nods.count(one.id) == 1
    assert nods.wrong_counts() == []


def test_a_batch_and_the_page_that_take_back_the_same_never_wait_in_a_ring(two, alice):
    token, one = hashed(passed(alice)), page()
    nods.give(member=alice, thing=one, at=NOW)
    there, go_on, told = threading.Event(), threading.Event(), []
    use = two[0].query

    def slow(text, names):
        found = use(text, names)
        if text in (statements.TAKE_BACK, statements.HOLD_COUNTS) and not there.is_set():
            there.set()
            go_on.wait(3)
        return found

    two[0].query = slow
    ask = Ask((token,), one.id, "", take_back=True)
    taking = threading.Thread(target=lambda: told.extend(write(two[0], ask)))
    taking.start()
    assert there.wait(5)
    # The page waits for the batch, which goes on meanwhile.
    threading.Timer(0.5, go_on.set).start()
    with pytest.raises(nods.NoNod):
        nods.take_back(member=alice, thing=one, at=NOW)
    taking.join()
    assert [verdict.reason for verdict in told] == [""]
    assert nods.wrong_counts() == []


def test_of_several_passes_the_one_that_came_furthest_says_why_not(two, alice, bob):
    spent, elsewhere = hashed(passed(alice)), hashed(passed(bob, "other.example"))
    SitePass.objects.filter(token_hash=spent).update(used=NO_LIMIT, day=NOW.toordinal())
    for secrets in ((spent, elsewhere), (elsewhere, spent), ("nobody's", spent, elsewhere)):
        (verdict,) = write(two[0], Ask(secrets, page().id, ""))
        assert verdict.reason == "limit"


def test_a_table_that_changed_under_a_prepared_statement_is_read_anew(now_street):
    worker = Worker("one")

    def read(database: Database) -> int:
        return len(database.query("SELECT * FROM changing", {})[0])

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE changing (a integer)")
        cursor.execute("INSERT INTO changing VALUES (1)")
        try:
            # The third time it is prepared on PostgreSQL.
            assert [worker._run(read) for _time in range(4)] == [1] * 4
            cursor.execute("ALTER TABLE changing ADD COLUMN b integer")
            assert worker._run(read) == 2
        finally:
            worker.close()
            cursor.execute("DROP TABLE changing")


def test_batches_that_cross_never_wait_in_a_ring(two, alice, bob):
    hers, his = hashed(passed(alice)), hashed(passed(bob))
    a, b = page(1), page(2)
    nods.give(member=alice, thing=a, at=NOW)
    nods.give(member=bob, thing=b, at=NOW)
    for number in range(ROUNDS):
        up, down = (b, a) if number % 2 == 0 else (a, b)
        first = (Ask((hers,), up.id, ""), Ask((hers,), down.id, "", take_back=True))
        second = (Ask((his,), down.id, ""), Ask((his,), up.id, "", take_back=True))
        answers = at_once(partial(write, two[0], *first), partial(write, two[1], *second))
        assert not [one for one in answers if isinstance(one, Exception)]
    assert nods.wrong_counts() == []


def test_a_take_back_beside_the_first_top_up_leaves_the_count_right(two, now_street):
    carol = people.member("carol")
    token, one = hashed(passed(carol)), page()
    nods.give(member=carol, thing=one, at=NOW)
    there, go_on = threading.Event(), threading.Event()
    use = two[0].query

    def slow(text, names):
        if "passes_sitepass\nSET" in text:
            there.set()
            go_on.wait(3)
        return use(text, names)

    two[0].query = slow
    ask = Ask((token,), one.id, "", take_back=True)
    taking = threading.Thread(target=write, args=(two[0], ask))
    taking.start()
    assert there.wait(5)
    # On PostgreSQL the top-up waits for the take-back, which goes on meanwhile.
    threading.Timer(0.5, go_on.set).start()
    with transaction.atomic():
        Member.objects.filter(id=carol.id).update(funded_month=MONTH)
        nods.count_in(member=carol, month=MONTH)
    taking.join()
    assert nods.wrong_counts() == []


def test_subscriptions_beside_the_first_top_up_leave_the_counts_right(now_street):
    carol, one = people.member("carol"), page()
    nods.subscribe(member=carol, thing=one, runs_months=None, at=NOW)
    there, go_on = threading.Event(), threading.Event()

    def top_up() -> None:
        try:
            with transaction.atomic():
                Member.objects.filter(id=carol.id).update(funded_month=MONTH)
                nods.count_in(member=carol, month=MONTH)
                there.set()
                go_on.wait(3)
        finally:
            connection.close()

    paying = threading.Thread(target=top_up)
    paying.start()
    assert there.wait(5)
    threading.Timer(0.5, go_on.set).start()
    nods.renew(month=MONTH + 1, at=NOW)
    paying.join()
    assert Nod.objects.count() == 1
    assert nods.wrong_counts() == []


def test_a_take_back_and_a_nod_in_one_batch_are_both_told_the_truth(two, alice):
    one, tokens = page(), [hashed(passed(alice)) for _browser in range(2)]
    nods.give(member=alice, thing=one, at=NOW)
    back = Ask((tokens[0],), one.id, "", take_back=True)
    reasons = [verdict.reason for verdict in write(two[0], back, Ask((tokens[1],), one.id, ""))]
    assert reasons == ["", ""]


def test_who_gives_and_who_takes_back_in_one_batch_are_told_the_count_after_both(two, alice, bob):
    hers, his, one = hashed(passed(alice)), hashed(passed(bob)), page()
    nods.give(member=alice, thing=one, at=NOW)
    asks = (Ask((his,), one.id, ""), Ask((hers,), one.id, "", take_back=True))
    assert [verdict.total for verdict in write(two[0], *asks)] == [1, 1]
    # Nothing is counted: the nod is there already, and who has none takes none back.
    assert [verdict.total for verdict in write(two[0], *asks)] == [1, 1]
    assert nods.count(one.id) == 1


def test_what_was_nodded_at_before_a_merge_can_be_taken_back(now_street, alice):
    token, old, new = passed(alice), page(1), page(2)
    ask = {"url": old.url, "pass": token}
    now_street.run(now_street.post("/c/nod", ask))
    things.merge(thing=old, into=new, at=NOW)
    now_street.run(now_street.post("/c/nod", ask))
    assert Nod.objects.count() == 2
    (back,) = now_street.run(now_street.post("/c/take-back", ask))
    assert (back.status, Nod.objects.count()) == (200, 0)
    assert nods.wrong_counts() == []


def test_one_that_cannot_be_written_spoils_no_other(now_street, alice, bob, monkeypatch):
    hers, his, one, other = passed(alice), passed(bob), page(1), page(2)
    real = Batch._give

    def give(self, may, asks, at):
        if any(ask.key == "spoilt" for ask in asks):
            # What a constraint would say of a row that cannot be.
            spoilt = "INSERT INTO nods_count (thing_id, total) VALUES (%(thing)s, -5)"
            self._database.query(spoilt, {"thing": one.id})
        return real(self, may, asks, at)

    monkeypatch.setattr(Batch, "_give", give)
    bad, good = now_street.run(
        now_street.post("/c/nod", {"id": one.id, "pass": hers, "key": "spoilt"}),
        now_street.post("/c/nod", {"id": other.id, "pass": his, "key": "good"}),
    )
    assert (bad.status, good.status) == (400, 200)


@pytest.mark.parametrize("key", ["\x00", "a\nb", "\x7f"])
def test_letters_that_no_database_keeps_are_refused_before(now_street, alice, key):
    ask = {"id": page().id, "pass": passed(alice), "key": key}
    (answer,) = now_street.run(now_street.post("/c/nod", ask))
    assert (answer.status, answer.json["reason"]) == (400, "bad")


def test_a_pass_makes_no_more_pages_than_it_gives_nods(transactional_db):
    people.instance_at(f"{NOW:%Y-%m}")
    alice = people.member("alice", funds="5.00", month=MONTH - 1)
    street, token = Street(Policy(nods_a_day=3)), passed(alice)
    for number in range(8):
        street.run(street.post("/c/nod", {"url": f"https://{SITE}/x{number}", "pass": token}))
    street.close()
    assert Thing.objects.count() == 3


def test_a_crowd_that_asks_for_one_thing_leaves_room_for_others(now_street, alice, monkeypatch):
    monkeypatch.setattr(_queue, "SAME_AT_MOST", 5)
    token, one = passed(alice), page()
    junk = [
        now_street.post("/c/nod", {"id": one.id, "pass": "junk", "key": str(n)}) for n in range(50)
    ]
    *crowd, honest = now_street.run(*junk, now_street.post("/c/nod", {"id": one.id, "pass": token}))
    assert honest.status == 200
    assert {answer.status for answer in crowd} == {401, 503}


def test_a_crowd_of_codes_is_told_to_come_again(now_street, alice, monkeypatch):
    monkeypatch.setattr("mickle.edge._posting._RARE_WAITING", 2)
    ask = {"code": "junk", "nonce": "n"}
    answers = now_street.run(*(now_street.post("/c/exchange", ask) for _many in range(8)))
    assert sorted(answer.status for answer in answers) == [400] * 2 + [503] * 6


def test_a_database_that_fails_behind_a_door_is_told_as_such(now_street, monkeypatch):
    def locked(**_given):
        raise OperationalError("database is locked")

    monkeypatch.setattr(_door.passes, "exchange", locked)
    (answer,) = now_street.run(now_street.post("/c/exchange", {"code": "c", "nonce": "n"}))
    assert (answer.status, answer.json["reason"]) == (503, "later")


def test_what_a_proxy_says_stands_behind_what_it_was_told():
    told = [(b"x-forwarded-for", b"203.0.113.66"), (b"x-forwarded-for", b"198.51.100.1")]
    assert Askers(["127.0.0.1"]).of(("127.0.0.1", 1), told) == "198.51.100.1"
    assert Askers([]).of(("127.0.0.1", 1), told) == "127.0.0.1"
    assert Askers([]).of(("2001:db8::1", 1), told) == Askers([]).of(("2001:db8::ffff", 1), told)


def test_a_public_address_is_the_buttons_origin_too(transactional_db):
    people.instance_at(f"{NOW:%Y-%m}")
    alice = people.member("alice", funds="5.00", month=MONTH - 1)
    now_street = Street(Policy(pages_origin="https://nod.example", hosts=("nod.example",)))
    ask, at = {"id": page().id, "pass": passed(alice)}, "https://nod.example"
    (answer,) = now_street.run(now_street.post("/c/nod", ask, host="nod.example", origin=at))
    now_street.close()
    assert answer.status == 200


def test_a_pass_in_use_lives_on_in_the_browser(now_street, alice):
    code = passes.grant(member=alice, site=SITE, nonce="n", at=datetime.now(UTC))
    (got,) = now_street.run(now_street.post("/c/exchange", {"code": code, "nonce": "n"}))
    name = got.headers["set-cookie"].partition(";")[0]
    cookie = f"__Secure-nod-other=x; {name}"
    (answer,) = now_street.run(now_street.post("/c/nod", {"id": page().id}, cookie=cookie))
    assert answer.headers["set-cookie"] == got.headers["set-cookie"]
    assert SitePass.objects.get().used == 1


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/b/count", "id=1&" + "a&" * 25_000),
        ("/live", "ids=" + "1," * 25_000),
        ("/b/count", "&".join(["id=1"] * 500)),
    ],
)
def test_crowded_questions_are_refused_unread(alone, path, query):
    assert alone.get(path, query).status == 400


def test_many_pages_in_one_question_cost_as_many(transactional_db):
    people.instance_at()
    now_street = Street(Policy(requests_a_second=1, burst=60))
    many = "&".join(f"id={n}" for n in range(1, 81))
    assert [now_street.get("/b/count", many).status for _twice in range(2)] == [200, 429]
    now_street.close()
