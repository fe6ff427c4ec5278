"""The bugs that are planted, and the test that has to catch each."""

from tests.seeded.accounts import ACCOUNTS
from tests.seeded.archives import ARCHIVES
from tests.seeded.arrears import ARREARS
from tests.seeded.beside import BESIDE
from tests.seeded.bug import Bug
from tests.seeded.clicking import CLICKING
from tests.seeded.clockwork import CLOCKWORK
from tests.seeded.fetching import FETCHING
from tests.seeded.identity import IDENTITY
from tests.seeded.mailing import MAILING
from tests.seeded.merging import MERGING
from tests.seeded.month_end import MONTH_END
from tests.seeded.oddities import ODDITIES
from tests.seeded.operating import OPERATING
from tests.seeded.pipeline import PIPELINE
from tests.seeded.programs import PROGRAMS
from tests.seeded.proving import PROVING
from tests.seeded.showing import SHOWING
from tests.seeded.signing_in import SIGNING_IN
from tests.seeded.teaming import TEAMING
from tests.seeded.turns import TURNS

BUGS = [
    Bug(
        "a table that counts as empty is read whole for each row",
        "ledger/_bulk.py",
        "AND reltuples = 0 AND",
        "AND reltuples < -1 AND",
        "tests/ledger/test_statistics.py",
        "postgresql",
    ),
    Bug(
        "a payin stands before its money does",
        "payins/payins.py",
        "    with transaction.atomic():\n        try:\n            with transaction.atomic():\n"
        "                entry.save(",
        "    if entry:\n        try:\n            with transaction.atomic():\n"
        "                entry.save(",
        "tests/simulation -k every",
    ),
    Bug(
        "what comes back counts for a later month than gives it",
        "settlement/_funds.py",
        'row.key.startswith("expire:")',
        'row.key.startswith("expired:")',
        "tests/settlement/test_waiting_cases.py -k counts_for_the_settlement",
    ),
    Bug(
        "a database that ended itself is something unforeseen",
        "ops/failures.py",
        '("connection failed", "connection to server", "could not connect", ',
        "(",
        "tests/disk -k postgresql",
    ),
    Bug(
        "a disk with no room for the index of SQLite's log is something unforeseen",
        "ops/failures.py",
        ', "SQLITE_IOERR_SHMSIZE")',
        ")",
        "tests/ops/test_failures.py -k index_of_sqlites_log",
    ),
    *ARREARS,
    *IDENTITY,
    *MONTH_END,
    *ODDITIES,
    *OPERATING,
    *PIPELINE,
    *BESIDE,
    *MAILING,
    *SHOWING,
    *ACCOUNTS,
    *SIGNING_IN,
    *ARCHIVES,
    *MERGING,
    *TEAMING,
    *CLICKING,
    *CLOCKWORK,
    *PROGRAMS,
    *PROVING,
    *FETCHING,
    *TURNS,
    Bug(
        "the title of a page is markup",
        "web/templates/front/thing.html",
        "<h1><bdi>{{ thing.title }}</bdi></h1>",
        "<h1><bdi>{{ thing.title|safe }}</bdi></h1>",
        "tests/browser/test_stored_texts.py -k anybody",
    ),
    Bug(
        "a pot goes below nought",
        "ledger/ledger.py",
        "AND (balance_micros + %s >= 0 OR kind IN ({marks}))",
        "AND (%s < 1 OR 1 = 1 OR kind IN ({marks}))",
        "tests/ledger/test_post.py::test_nobody_gives_what_is_not_there",
    ),
    Bug(
        "a used key is not compared",
        "ledger/ledger.py",
        "_must_equal(key, debit, credit, amount_micros)\n            return False",
        "return False",
        "tests/ledger/test_post.py::test_the_same_key_with_other_content_is_refused",
    ),
    Bug(
        "keys that come while ranges are written are left out",
        "lib/chunks.py",
        "while True:",
        "while seen < total:",
        "tests/lib/test_chunks.py -k come_meanwhile",
    ),
    Bug(
        "two seal the same transfers",
        "ledger/_audit.py",
        "if cursor.fetchone() is None:",
        "if not cursor:",
        "tests/concurrency/test_together.py -k who_seal",
    ),
    Bug(
        "bulk posting posts again",
        "ledger/_bulk.py",
        "DELETE FROM ledger_due WHERE EXISTS",
        "DELETE FROM ledger_due WHERE 1 = 0 AND EXISTS",
        "tests/ledger/test_post.py -k half_posted",
    ),
    Bug(
        "bulk posting compares the amounts alone",
        "ledger/_bulk.py",
        " OR t.credit_id <> COALESCE(due.credit_id, 0)",
        "",
        "tests/ledger/test_post.py -k another_transfers",
    ),
    Bug(
        "whoever serves says nothing of it",
        "config/wsgi.py",
        "company.serve()\n",
        "",
        "tests/lib/test_company.py -k until_it_dies",
    ),
    Bug(
        "bulk posting forgets the balances",
        "ledger/_bulk.py",
        '    cursor.execute(_BALANCES.format(named=_named("ledger_account")))\n',
        "",
        "tests/ledger/test_post.py::test_a_select_posts_each_row_once",
    ),
    Bug(
        "the books may be replaced",
        "ledger/_guards.py",
        "BEGIN SELECT RAISE(IGNORE); END;",
        "BEGIN SELECT 1; END;",
        "tests/ledger/test_post.py::test_the_books_cannot_be_emptied_or_replaced",
    ),
    Bug(
        "the hash leaves parts of a second out",
        "ledger/_audit.py",
        "'.000000', 1, 26)",
        "'.000000', 1, 19)",
        "tests/ledger/test_chain.py",
    ),
    Bug(
        "the hash leaves the memo out",
        "ledger/_audit.py",
        "|| %(between)s || memo\n",
        "\n",
        "tests/ledger/test_post.py::test_the_audit_finds_what_was_tampered_with",
    ),
    Bug(
        "a payout is asked for outside a transaction",
        "payouts/_bank.py",
        "with transaction.atomic():",
        "if True:",
        "tests/crash/test_dying.py -k payout",
    ),
    Bug(
        "a top-up is booked under a new key each time",
        "payins/payins.py",
        'f"{provider}:{reference.strip()}"',
        'f"{provider}:{reference.strip()}:{id(member)}:{os.urandom(4).hex()}"',
        "tests/crash/test_dying.py -k top_up",
    ),
    Bug(
        "a payout is executed whatever it is",
        "payouts/_bank.py",
        "rows = Payout.objects.filter(id=payout.id, state=State.SENT)",
        "rows = Payout.objects.filter(id=payout.id)",
        "tests/concurrency -k payouts",
    ),
    Bug(
        "a nod goes by the clock of its process",
        "nods/write.py",
        "SELECT CASE WHEN i.closed_through >= g.month THEN i.closed_through + 1 ELSE g.month END",
        "SELECT g.month",
        "tests/concurrency/test_together.py -k closing_fence",
    ),
    Bug(
        "a nod does not look at the fence",
        "nods/write.py",
        "SELECT CASE WHEN i.closed_through >= g.month THEN i.closed_through + 1 ELSE g.month END",
        "SELECT g.month",
        "tests/nods/test_give.py -k after_the_close",
    ),
    Bug(
        "a nod is checked for, then written",
        "nods/migrations/0001_initial.py",
        "('pk', models.CompositePrimaryKey('month', 'member_id', 'thing_id', blank=True,"
        " editable=False, primary_key=True, serialize=False)),",
        "('id', models.BigAutoField(primary_key=True, serialize=False)),",
        "tests/concurrency -k double_nods",
    ),
    Bug(
        "nods of members who never topped up count",
        "nods/write.py",
        "ON m.id = g.member AND m.funded_month IS NOT NULL",
        "ON m.id = g.member",
        "tests/nods/test_give.py -k public_count",
    ),
    Bug(
        "a filled table is left without its foreign keys",
        "lib/bulk.py",
        "    for name, text in keys:\n",
        "    for name, text in keys[:0]:\n",
        "tests/nods/test_filling.py -k nobody",
        "postgresql",
    ),
    Bug(
        "a monthly nod taken back comes again",
        "nods/_bulk.py",
        " AND s.renewed_through < %(month)s",
        "",
        "tests/nods/test_give.py -k not_given_again",
    ),
    Bug(
        "a month closes before it has ended",
        "instance/instance.py",
        "if at < months.end(month):",
        "if at < months.start(month):",
        "tests/instance/test_instance.py",
    ),
    Bug(
        "a budget may be set for a closed month",
        "members/members.py",
        "max(months.of(at) if month is None else month, fence + 1)",
        "months.of(at) if month is None else month",
        "tests/members/test_members.py -k never_for_a_closed",
    ),
    Bug(
        "a pass is offered wherever a button stands",
        "web/asking.py",
        "fits = asked.for_own_page and asked.form.opener",
        "fits = asked.form.opener",
        "tests/journeys/test_nod_window.py -k foreign_host",
    ),
    Bug(
        "a tick is believed that was not offered",
        "web/views/nod.py",
        "if intent.offer == Offer.BUTTON:",
        "if asked.form.opener:",
        "tests/journeys/test_nod_window.py -k foreign_host",
    ),
    Bug(
        "a confirmation is good for every button",
        "web/parking.py",
        "_mark(identity), _mark(opener))",
        '_mark(identity), content.get("o"))',
        "tests/journeys/test_nod_window.py -k one_button",
    ),
    Bug(
        "a link is trusted whoever placed it",
        "web/asking.py",
        'if request.method == "POST" or not asked.from_own_page:',
        'if request.method == "POST":',
        "tests/journeys/test_nod_window.py -k trusted_link_sends",
    ),
    Bug(
        "a way through another site counts as coming from it",
        "lib/urls.py",
        'identify(origin_of(address) + "/").host',
        "identify(address).host",
        "tests/lib/test_urls.py -k site_of_an_address",
    ),
    Bug(
        "a stranger names a page",
        "web/views/nod.py",
        "own = asked.title_is_its_own and seen.pk is None",
        "own = seen.pk is None",
        "tests/journeys/test_nod_window.py -k title_of_somebody",
    ),
    Bug(
        "trusted links have no limit",
        "passes/passes.py",
        "rows.exclude(day=today, used__gte=settings.PASS_NODS_A_DAY).update(",
        "rows.update(",
        "tests/passes/test_passes.py -k so_often",
    ),
    Bug(
        "every page keeps its opener",
        "web/headers.py",
        'else "same-origin"',
        'else "unsafe-none"',
        "tests/web/test_routes.py -k headers_hold",
    ),
    Bug(
        "a transaction that is undone keeps the turn to write",
        "lib/sqlite3/base.py",
        """            super()._rollback()
        finally:
            self._give_turn()
""",
        """            super()._rollback()
        finally:
            pass
""",
        "tests/lib/test_turn.py",
    ),
    Bug(
        "a way on may lead to another site",
        "web/paths.py",
        'plain = wanted.startswith("/") and wanted.isprintable()',
        'plain = wanted.startswith("/")',
        "tests/web/test_redirects.py -k one_rule",
    ),
    Bug(
        "a way in asks the library what is ours",
        "web/accounts.py",
        '        return paths.is_ours(url or "")\n',
        "        return bool(super().is_safe_url(url))\n",
        "tests/web/test_redirects.py -k signed_in_already",
    ),
    Bug(
        "a language leads to wherever one came from",
        "web/paths.py",
        """    if not whole or not url_has_allowed_host_and_scheme(said, {request.get_host()}):
        return ""
""",
        """    if whole:
        return said
""",
        "tests/web/test_redirects.py -k language",
    ),
    Bug(
        "a pass taken back stays",
        "passes/passes.py",
        "    deleted, _by_table = SitePass.objects.filter(member=member).delete()\n",
        "    deleted = SitePass.objects.filter(member=member).count()\n",
        "tests/edge/test_nods.py -k taken_back_gives_nothing",
    ),
    Bug(
        "a code is exchanged as often as it comes",
        "passes/passes.py",
        'known.filter(token_hash="", nonce_hash=hashed(nonce)',
        "known.filter(nonce_hash=hashed(nonce)",
        "tests/passes/test_passes.py -k comes_twice",
    ),
]
