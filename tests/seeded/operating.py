"""Bugs of what an operator types and sets, and of whom a page writes to."""

from tests.seeded.bug import Bug

_COMMANDS = "tests/ops/test_commands.py -k "
_SETTINGS = "tests/ops/test_settings.py -k "
_ENVIRONMENT = "config/_environment.py"
_MOVES = "tests/ops/test_move.py -k "
_MOVING = "ops/moving.py"

OPERATING = [
    Bug(
        "an empty name is whoever has no address",
        "members/members.py",
        "    if not name:\n        # Many have",
        "    if name is None:\n        # Many have",
        _COMMANDS + "nobodys",
    ),
    Bug(
        "a payment file that was not written is lost from sight",
        "ops/management/commands/pay_out.py",
        "            if made is None:\n                raise\n",
        "            if path:\n                raise\n",
        _COMMANDS + "written_by_last",
    ),
    Bug(
        "a migration that stopped before its end was the last",
        "ops/database.py",
        "return bool(known - applied) or UNDER_WAY in applied",
        "return bool(known - applied)",
        "tests/ops/test_main.py -k stopped_before",
    ),
    Bug(
        "a database that keeps nothing is one",
        _ENVIRONMENT,
        'if found["NAME"] in ("", ":memory:") or found["NAME"].startswith("file:"):',
        'if not found["NAME"] and not url:',
        _SETTINGS + "keeps_anything",
    ),
    Bug(
        "a folder is another one for who begins elsewhere",
        _ENVIRONMENT,
        'return str(Path(value).expanduser().absolute()).rstrip("/")',
        'return value.rstrip("/")',
        _SETTINGS + "begins_elsewhere",
    ),
    Bug(
        "a server says how a transaction is isolated",
        "lib/postgresql/base.py",
        "        raw.execute(\"SET default_transaction_isolation = 'read committed'\")\n",
        "",
        "tests/ledger/test_statistics.py -k isolates",
        database="postgresql",
    ),
    Bug(
        "a load locks accounts before it waits for a settlement",
        "ops/loading.py",
        "        instance.hold_owners()\n",
        "",
        "tests/ops/test_load.py -k waits_for_a_settlement",
        database="postgresql",
    ),
    Bug(
        "an address gets as many codes as somebody likes",
        "config/settings.py",
        '"20/m/ip,3/m/key,20/h/key"',
        '"20/m/ip,3/m/key"',
        "tests/journeys/test_signing_in.py -k unasked",
    ),
    Bug(
        "a setting whose name is not quite right counts for nothing",
        "config/settings.py",
        "env.no_other()\n",
        "",
        "tests/ops/test_settings.py -k passed_over",
    ),
    Bug(
        "whoever guesses the key is anybody",
        "config/_environment.py",
        "if len(given) < _KEY_SIGNS:",
        "if not given:",
        "tests/ops/test_settings.py -k guessed",
    ),
    Bug(
        "what was moved is numbered from the beginning",
        _MOVING,
        "if (table := _table(kind)) in last:",
        "if (table := _table(kind)) in last and kind is None:",
        _MOVES + "behind_the_last",
    ),
    Bug(
        "books that are not in order are moved",
        _MOVING,
        "        if not check.ok:\n",
        "        if check.ok is None:\n",
        _MOVES + "whole",
    ),
    Bug(
        "an instance is moved while somebody uses it",
        _MOVING,
        "PRAGMA locking_mode = EXCLUSIVE",
        "PRAGMA locking_mode = NORMAL",
        _MOVES + "uses_is_not_moved",
    ),
    Bug(
        "an instance is moved into another one",
        _MOVING,
        "if not loading.is_empty():",
        "if not loading.is_empty() and not kinds:",
        _MOVES + "another_instance",
    ),
    Bug(
        "what is JSON arrives as a text",
        _MOVING,
        "values[at] = field.get_db_prep_save(values[at], connection)",
        "values[at] = str(values[at])",
        _MOVES + "arrives_as",
    ),
    Bug(
        "an instance begins among tables of somebody else",
        "ops/database.py",
        "                _must_be_free()\n",
        "",
        "tests/ops/test_data_folder.py -k somebody_else",
    ),
    Bug(
        "another instance begins where one has moved away",
        "ops/database.py",
        "    kept = [] if source.exists() else",
        "    kept = [] if not source.exists() else",
        _MOVES + "begins_in",
    ),
]
