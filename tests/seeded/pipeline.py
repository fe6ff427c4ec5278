"""Bugs of nods that no thread writes, on PostgreSQL."""

from tests.seeded.bug import Bug

_PLAIN = "edge/_plain.py"
_PIPELINE = "edge/_pipeline.py"
_QUEUE = "edge/_queue.py"
_TEST = "tests/edge/test_pipeline.py -k "
_NODS = "tests/edge/test_nods.py -k "


def _bug(name: str, file: str, old: str, new: str, caught_by: str) -> Bug:
    return Bug(name, file, old, new, caught_by, "postgresql")


PIPELINE = [
    _bug(
        "without a thread a nod is answered before it is committed",
        _PLAIN,
        "            COMMIT,\n",
        "",
        _NODS + "committed_when_its_answer_begins",
    ),
    _bug(
        "what was undone is told as committed",
        _PIPELINE,
        "if text == COMMIT[0] and result.command_status != COMMIT[0].encode():",
        "if not result.command_status:",
        _TEST + "undone",
    ),
    _bug(
        "of a connection that ends one who waits hears",
        _PIPELINE,
        "for heard in hearing:",
        "for heard in hearing[:1]:",
        _TEST + "everybody_hears_why",
    ),
    _bug(
        "what a socket does not take at once is never sent",
        _PIPELINE,
        "self._loop.add_writer(self._socket, self._flush_later)",
        "self._loop.remove_writer(self._socket)",
        _TEST + "larger_than",
    ),
    _bug(
        "a number is kept for as small as the first one",
        _PIPELINE,
        "oids = {int: _INT8_OID, str: _ANY_OID}",
        "oids = {str: _ANY_OID}",
        _TEST + "hears_the_rows",
    ),
    _bug(
        "without a thread nobody waits at the fence",
        _PLAIN,
        '("BEGIN", {}), (write.HOLD_FENCE, {})',
        '("BEGIN", {}), ("SELECT 1", {})',
        _TEST + "waits_at_the_fence",
    ),
    _bug(
        "without a thread an old pass is good",
        _PLAIN,
        "(SELECT clock_timestamp() + make_interval(secs => i.clock_offset_s)",
        "(SELECT to_timestamp(0)",
        _NODS + "old_pass",
    ),
    _bug(
        "without a thread a page of a team is like any other",
        _PLAIN,
        "if any(one[_PASS] and one[_SHARED] for one in said[3]):",
        "if not said:",
        _NODS + "through_a_team",
    ),
    _bug(
        "where all are refused the transaction stays open",
        _PLAIN,
        "self._ask(ROLLBACK, then=lambda _said: result)",
        'self._ask(("SELECT 1", {}), then=lambda _said: result)',
        _TEST + "all_are_refused",
    ),
    _bug(
        "a fault of ours leaves its transaction to the next batch",
        _PLAIN,
        "                self._pipeline.fail(error)\n",
        "",
        _TEST + "fault_of_ours",
    ),
    _bug(
        "the next batch waits until this one is told",
        _QUEUE,
        "        self._ending = batch\n        self._look()\n",
        "        self._ending = batch\n",
        _TEST + "two_batches",
    ),
    _bug(
        "what fails without a thread is told as failed",
        _QUEUE,
        "if not isinstance(taken, Exception):\n            self._tell(batch, taken)",
        "if taken:\n            self._tell(batch, taken)",
        _TEST + "commit_fails",
    ),
    _bug(
        "a connection that ended is not made anew",
        _QUEUE,
        "if now >= self._opens_at and (self._pipeline is None or not self._pipeline.is_open):",
        "if now >= self._opens_at and self._pipeline is None:",
        _TEST + "made_anew",
    ),
    _bug(
        "other processes do not hear of a nod without a thread",
        "nods/write.py",
        "CASE WHEN pg_notify('{CHANNEL}', '') IS NULL THEN 0 ELSE c.total END",
        "c.total",
        _TEST + "another_process",
    ),
    _bug(
        "a connection is asked for with each batch",
        _QUEUE,
        "self._opens_at = now + OPENS_EVERY_S",
        "self._opens_at = now",
        _TEST + "to_give",
    ),
    _bug(
        "a nod that waited for the first top-up is counted by nobody",
        "nods/write.py",
        "SELECT h.member FROM held h WHERE h.funded IS NOT NULL",
        "SELECT m.id FROM members_member m WHERE m.funded_month IS NOT NULL",
        "tests/edge/test_pipeline_waits.py -k first_top_up",
    ),
    Bug(
        "who joins a batch that failed passes those behind it",
        _QUEUE,
        "if self._rest or self._writing > 1 or not self._next:",
        "if self._rest or not self._next:",
        "tests/edge/test_queue.py -k whose_batch_failed",
    ),
]
