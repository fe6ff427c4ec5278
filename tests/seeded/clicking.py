"""Bugs of counts and clicks: what is kept, who may nod, and when it is answered."""

from tests.seeded.bug import Bug

CLICKING = [
    Bug(
        "who clicks too often is not told when to come again",
        "edge/edge.py",
        'return refuse("limit", "", *more)',
        'return refuse("limit")',
        "tests/edge/test_doors.py -k hung_up_on",
    ),
    Bug(
        "a poster costs its asker nothing",
        "edge/_prints.py",
        "        charge(TOKENS[key.path])\n",
        "",
        "tests/edge/test_prints.py -k many_drawn",
    ),
    Bug(
        "a neighbour's pass goes before that of the page's own site",
        "edge/_posting.py",
        "    passes.sort(key=lambda one: one[0] != own)\n",
        "",
        "tests/edge/test_nods.py -k under_one_domain",
    ),
    Bug(
        "one address that is none spoils all that are asked for",
        "edge/_asking.py",
        "if len(asked) == 1 and asked[0].wrong:",
        "if asked[0].wrong:",
        "tests/edge/test_count.py -k spoils_no_other",
    ),
    Bug(
        "the tag of a frame is of its count alone",
        "edge/edge.py",
        "    return Answer(200, [*_files.FRAME, SHORTLY], body, _tag(body))",
        "    return Answer(200, [*_files.FRAME, SHORTLY], body, f'W/\"{count}\"')",
        "tests/edge/test_count.py -k tag_of_a_frame",
    ),
    Bug(
        "a nod is answered before its transaction is committed",
        "edge/_database.py",
        """            turn.begin(self._raw, partial(self._raw.execute, "BEGIN IMMEDIATE"))
            try:
                yield self.now()
                self._raw.execute("COMMIT")
""",
        """            if self._raw.in_transaction:
                self._raw.execute("COMMIT")
            self._raw.execute("BEGIN IMMEDIATE")
            try:
                yield self.now()
""",
        "tests/edge/test_nods.py -k committed_when_its_answer_begins",
    ),
    Bug(
        "a nod is answered before its transaction is committed on PostgreSQL",
        "edge/_database.py",
        """        self._told = False
        try:
            yield self._read_now(f"BEGIN; {write.HOLD_FENCE}; {POSTGRESQL_NOW}")
            self._raw.execute(f"{write.TELL}; COMMIT" if self._told else "COMMIT", prepare=False)
""",
        """        if self._raw.info.transaction_status:
            self._raw.execute("COMMIT")
        try:
            yield self._read_now(f"BEGIN; {write.HOLD_FENCE}; {POSTGRESQL_NOW}")
""",
        "tests/edge/test_nods.py -k committed_when_its_answer_begins",
        "postgresql",
    ),
    Bug(
        "a pass is good on every site",
        "edge/_judging.py",
        """        if self.asked_id is not None and not self.fits:
            return "other-site"
""",
        "",
        "tests/edge/test_nods.py -k pass_of_one_site",
    ),
    Bug(
        "an old pass is still good",
        "edge/_judging.py",
        " AND p.expires_at > %(at)s",
        "",
        "tests/edge/test_nods.py -k old_pass",
    ),
    Bug(
        "every site may post a nod",
        "edge/_posting.py",
        'if not origin or header(headers, b"origin") != origin:',
        "if not origin:",
        "tests/edge/test_nods.py -k only_a_button_of_ours",
    ),
    Bug(
        "every site may post a nod in the lane",
        "edge/_posting.py",
        """            and headers.get(b"origin") == origin.encode()
""",
        "",
        "tests/edge/test_clicks.py -k not_of_a_button",
    ),
    Bug(
        "counts are read once and for ever",
        "edge/_counts.py",
        "FRESH_S = 0.95\nREFRESH_S = 0.5",
        "FRESH_S = REFRESH_S = 1e9",
        "tests/edge/test_count.py -k fresh_within_a_second",
    ),
    Bug(
        "an answer stays when the count it was made of changes",
        "edge/_kept.py",
        "if self._found.get(one, now) != now]",
        "if one not in self._found]",
        "tests/edge/test_kept.py -k changed_is_forgotten",
    ),
    Bug(
        "an answer stays when what it was made of is read no more",
        "edge/_kept.py",
        "if found.get(one) != was]",
        "if found.get(one, was) != was]",
        "tests/edge/test_kept.py -k known_no_more",
    ),
    Bug(
        "who nods is not held against the first top-up",
        "nods/write.py",
        "FOR SHARE OF m",
        "",
        "tests/concurrency/test_clicks.py",
        "postgresql",
    ),
    Bug(
        "a batch that takes back holds the counts before the nods",
        "edge/_giving.py",
        "                # Who gives holds the members with the nods.\n",
        """                self._database.hold_counts([who.thing_id for who in may.values()])
""",
        "tests/edge/test_races.py -k take_back_the_same",
        "postgresql",
    ),
    Bug(
        "the pass that came last says why none gives",
        "edge/_judging.py",
        'reason != "no-pass" and verdicts[place].reason in _NOT_HERE',
        'reason != "no-pass"',
        "tests/edge/test_races.py -k came_furthest",
    ),
    Bug(
        "what was prepared for a table as it was fails for ever",
        "edge/_database.py",
        "psycopg.InterfaceError, psycopg.NotSupportedError)",
        "psycopg.InterfaceError)",
        "tests/edge/test_races.py -k table_that_changed",
        "postgresql",
    ),
    Bug(
        "other processes do not hear of a count that changed",
        "edge/_database.py",
        'f"{write.TELL}; COMMIT" if self._told else "COMMIT"',
        '"COMMIT"',
        "tests/edge/test_races.py -k hears_of_a_nod",
        "postgresql",
    ),
    Bug(
        "two who ask for the same with the same pass are in one batch",
        "edge/_queue.py",
        "if what not in self._next and len(self._next) < TOGETHER_AT_MOST:",
        "if len(self._next) < TOGETHER_AT_MOST:",
        "tests/edge/test_queue.py -k ask_for_the_same",
    ),
    Bug(
        "a refused click holds its member",
        "edge/_giving.py",
        "        return self._judge.decide(",
        "        self._database.hold_members([who.member_id for _n, who in found if who.pass_id])\n"
        "        return self._judge.decide(",
        "tests/edge/test_together.py -k holds_nobody",
        "postgresql",
    ),
    Bug(
        "who comes while the writer waits is in the batch twice",
        "edge/_queue.py",
        "joining = [what for what in self._next if what not in there]",
        "joining = list(self._next)",
        "tests/edge/test_queue.py -k before_the_writer_has_begun",
    ),
    Bug(
        "who comes while the writer waits is written and not told",
        "edge/_queue.py",
        "        batch.extend(more)\n",
        "",
        "tests/edge/test_queue.py -k before_the_writer_has_begun",
    ),
    Bug(
        "who comes late passes those who wait",
        "edge/_queue.py",
        "if self._rest or self._writing > 1 or not self._next:",
        "if self._writing > 1 or not self._next:",
        "tests/edge/test_queue.py -k passes_nobody",
    ),
    Bug(
        "the next batch begins before who was answered can come again",
        "edge/_queue.py",
        "            self._due = True\n"
        "            asyncio.get_running_loop().call_soon(self._flush)\n\n    def _connect",
        "            self._flush()\n\n    def _connect",
        "tests/edge/test_queue.py -k come_again",
    ),
    Bug(
        "a batch outgrows its measure while the writer waits",
        "edge/_queue.py",
        "joining[: TOGETHER_AT_MOST - len(batch)]",
        "joining",
        "tests/edge/test_queue.py -k overfills",
    ),
    Bug(
        "one who cannot be told keeps the others waiting",
        "edge/_queue.py",
        "            except Exception:\n                # One who",
        "            except OSError:\n                # One who",
        "tests/edge/test_queue.py -k keeps_nobody_waiting",
    ),
    Bug(
        "the count that is told is the one before the take-back",
        "edge/_giving.py",
        "totals.update(query(write.COUNT_DOWN, names))",
        "query(write.COUNT_DOWN, names)",
        "tests/edge/test_races.py -k count_after_both",
    ),
    Bug(
        "who is silent after a click is never hung up on",
        "edge/lane.py",
        "if busy or left > 0:",
        "if busy or left > 0 or self.cycle:",
        "tests/edge/test_clicks.py -k silent_after",
    ),
    Bug(
        "a page that becomes known is told of the count it shows",
        "edge/_live.py",
        "stream.shown[asked][1] != found[asked][1]",
        "stream.shown[asked] != found[asked]",
        "tests/edge/test_live.py -k nobody_knew",
    ),
    Bug(
        "each range of a settlement is compiled",
        "lib/postgresql/base.py",
        '            cursor.execute("SET jit = off")\n',
        "            pass\n",
        "tests/ledger/test_statistics.py -k compiled",
        database="postgresql",
    ),
    Bug(
        "who waits for another process misses its pauses",
        "lib/turn.py",
        "time.sleep(min(max(waited * PATIENT, ASK_S), ASK_AT_MOST_S))",
        "time.sleep(ASK_AT_MOST_S)",
        "tests/lib/test_turn.py -k first_pause",
    ),
    Bug(
        "the writer of the edge waits as SQLite does",
        "edge/_database.py",
        'turn.begin(self._raw, partial(self._raw.execute, "BEGIN IMMEDIATE"))',
        'self._raw.execute("BEGIN IMMEDIATE")',
        "tests/lib/test_turn.py -k writer_of_the_edge",
    ),
    Bug(
        "pages wait as SQLite does",
        "lib/sqlite3/base.py",
        "turn.begin(self.connection, super()._start_transaction_under_autocommit)",
        "super()._start_transaction_under_autocommit()",
        "tests/lib/test_turn.py -k connection_of_django",
    ),
]
