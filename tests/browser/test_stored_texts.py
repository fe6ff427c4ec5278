"""Texts of strangers, as if no door had looked at them, on every page: none of them runs there.

They are written into the database itself, in every column that holds a text of somebody's.
"""

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Running
from tests.browser.payloads import PAYLOADS
from tests.browser.test_pages import ANYBODY, GIVER, LAST, MAKER, OPERATOR, WATCH, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Written by the house alone, or what rows are found by; an address here is somebody's text too.
OURS = {
    *("instance_instance.setup_hash", "jobs_job.name", "ledger_transfer.key"),
    *("ledger_transfer.reason", "ledger_transfer.memo", "ledger_batch.previous_hash"),
    *("ledger_batch.hash", "members_charity.slug", "members_member.password"),
    *("members_member.username", "members_member.email", "members_member.language"),
    *("members_invite.code", "things_thing.identity", "nods_nod.source", "nods_nod.void"),
    *("nods_nod.key", "claims_proof.token", "passes_sitepass.token_hash"),
    *("passes_sitepass.code_hash", "passes_sitepass.nonce_hash", "payins_payin.key"),
    *("payins_payin.provider", "settlement_run.result_sha256", "settlement_run.proof_root"),
    *("settlement_archive.manifest_sha256", "settlement_proof.key", "settlement_proof.currency"),
    *("settlement_proof.input_sha256", "settlement_proof.output_sha256"),
    *("settlement_proof.before", "settlement_proof.tree", "settlement_proof.root"),
    *("payouts_payoutfile.message_id", "payouts_payoutfile.sha256", "payouts_payout.key"),
}
# What would be seen wherever it is taken for markup.
MARK = re.compile("<t19[ />]")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
MARKS = """() => [
  ...document.querySelectorAll("t19, [t19]"),
  ...[...document.querySelectorAll("[href], [src], [action], [formaction], [data]")].filter(one =>
    ["href", "src", "action", "formaction", "data"].some(name =>
      /^[\\s\\0]*(javascript|data:text|vbscript)/i.test(one.getAttribute(name) || ""))),
  ...document.querySelectorAll("base, object, embed, meta[http-equiv=refresh]"),
].map(one => one.outerHTML.slice(0, 200))"""


def texts() -> list[tuple[str, str, int]]:
    """Table, column and length of what may hold a stranger's text."""
    found = []
    for model in apps.get_models():
        for field in model._meta.concrete_fields if "mickle." in model.__module__ else ():
            column = f"{model._meta.db_table}.{field.column}"
            kinds = models.CharField | models.TextField | models.JSONField
            plain = isinstance(field, kinds) and not field.choices
            if plain and column not in OURS:
                found.append(
                    (
                        model._meta.db_table,
                        field.column,
                        getattr(field, "max_length", None) or 10_000,
                    )
                )
    return found


def poison(file: Path) -> int:
    """Write the payloads into every row; how many were written."""
    # Which row has which one is another each day: each is to show what it was taken for.
    marked = (one if MARK.search(one) else f"{one}<t19>" for one in PAYLOADS)
    written, payload = 0, cycle(marked)
    with sqlite3.connect(file) as raw:
        for table, column, length in texts():
            rows = [row[0] for row in raw.execute(f"SELECT rowid FROM {table}")]
            # Kept as a list beside its rows.
            listed = (table, column) == ("things_thing", "tags")
            unique = (table, column) == ("things_tag", "name")
            for number in rows:
                text = next(payload)[: length - 12] + (f" {number}" if unique else "")
                if listed:
                    text = json.dumps([text[:40]])
                raw.execute(
                    f"UPDATE OR IGNORE {table} SET {column} = ? WHERE rowid = ?",
                    [text[:length], number],
                )
                written += 1
    return written


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("poisoned") / "data"
    server = Running(data, "--demo")
    assert poison(data / "mickle.sqlite3") > len(PAYLOADS) * 10
    yield server
    server.stop()


@pytest.fixture
def page(shell: Browser, poisoned: Running) -> Iterator[Page]:
    context = shell.new_context(base_url=poisoned.url)
    context.add_init_script(WATCH)
    yield context.new_page()
    context.close()


def ran(page: Page, paths: tuple[str, ...]) -> list[str]:
    """What ran or was taken for markup on these pages; a quarter shows such texts at least."""
    wrong: list[str] = []
    shown = 0
    page.on("dialog", lambda dialog: (wrong.append(f"{page.url}: a dialog"), dialog.dismiss()))
    for path in paths:
        answer = page.goto(path)
        assert answer is not None
        if answer.status != 200:
            wrong.append(f"{path}: {answer.status}")
        shown += "t19" in page.content()
        wrong += [f"{path}: {one}" for one in page.evaluate(MARKS)]
        wrong += [f"{path} policy: {one}" for one in page.evaluate("window.refused")]
    assert shown >= len(paths) / 4, f"{shown} of {len(paths)} pages show a text of a stranger"
    return wrong


def sheet_runs(page: Page, path: str) -> list[str]:
    """The cells of a CSV that a spreadsheet would take for a formula."""
    answer = page.request.get(path)
    assert answer.ok, path
    assert answer.headers["content-disposition"].startswith("attachment")
    cells = [cell for row in csv.reader(io.StringIO(answer.text())) for cell in row]
    assert len(cells) > 5, path
    return [one for one in cells if one.startswith(tuple("=+-@\t\r")) and not NUMBER.fullmatch(one)]


def test_nothing_a_stranger_wrote_runs_for_anybody(page: Page) -> None:
    drawn = ("/b/frame?id=1", "/b/count?id=1", "/b/count.svg?id=1", "/b/qr.svg?id=1")
    windows = tuple(f"/nod?url=https://new.example/{at}&title={at}" for at in ("%3Ct19%3E", "x"))
    assert ran(page, (*ANYBODY, *drawn, *windows, "/catalogue?page=2")) == []


def test_nothing_a_stranger_wrote_runs_for_a_giver(page: Page) -> None:
    sign_in(page, "ada@demo.example")
    assert ran(page, GIVER) == []
    assert sheet_runs(page, f"/statements/{LAST}.csv") == []


def test_nothing_a_stranger_wrote_runs_for_a_maker(page: Page) -> None:
    sign_in(page, "bruno@demo.example")
    assert ran(page, MAKER) == []
    assert sheet_runs(page, f"/revenue/{LAST}.csv") == []


def test_nothing_a_stranger_wrote_runs_for_an_operator(page: Page, poisoned: Running) -> None:
    password = re.search(r"olga@demo\.example with the password (\S+)\.\n", poisoned.said)[1]
    sign_in(page, "olga@demo.example", password)
    assert ran(page, OPERATOR) == []
    assert sheet_runs(page, f"/operator/books/{LAST}/journal.csv") == []


def test_what_would_run_is_found(page: Page) -> None:
    page.goto("/imprint")
    for before, payload in zip(("", "", "<p>", '<p title="'), PAYLOADS, strict=False):
        markup = f'{before}{payload}">'
        page.evaluate("text => { document.querySelector('main').innerHTML = text }", markup)
        assert page.evaluate(MARKS), payload
