"""The reference falls behind the code nowhere: what is there is named, and no more than that."""

import json
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import load_command_class

from mickle.claims import proofs
from mickle.closing import closing
from mickle.instance.instance import State
from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.nods.models import Nod
from mickle.ops.catalogue import COMMANDS
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.settlement import settlement
from mickle.settlement.models import Line
from mickle.teams import teams

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
CODE = ROOT / "mickle"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """What stands under a heading, up to the next one of its depth."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"there is no section {title}"
    return found[1]


def first_column(text: str) -> set[str]:
    """The words in code marks of the first cell of each table row."""
    cells = re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def sources(folder: Path = CODE) -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))}


def settings_read() -> set[str]:
    calls = re.compile(
        r"\benv\.(?:text|choice|number|amount|words|currency|folder|hosts|iban|bic|origin|networks)"
        r"\(\s*\"([A-Z_]+)\""
    )
    names = {name for text in sources(CODE / "config").values() for name in calls.findall(text)}
    # The environment's own reader asks for two by their bare names.
    own = re.compile(r"(?<![\w.])text\(\"([A-Z_]+)\"\)")
    names |= set(own.findall((CODE / "config" / "_environment.py").read_text(encoding="utf-8")))
    return {f"MICKLE_{name}" for name in names}


def test_every_setting_is_named_and_no_unknown_one():
    read = settings_read()
    assert len(read) > 25
    assert {"MICKLE_DATA", "MICKLE_SECRET_KEY", "MICKLE_SMTP_TLS"} <= read
    assert first_column(page("settings")) == read | {"DATABASE_URL"}


def test_settings_are_read_in_one_place_only():
    elsewhere = {
        str(path.relative_to(CODE))
        for path, text in sources().items()
        if re.search(r"environ(?:\.get\(|\[)|getenv\(", text) and path.parent.name != "config"
    }
    # The entry hands `--data` on.
    assert elsewhere <= {"ops/main.py"}


def test_every_default_amount_and_number_is_the_one_the_code_has():
    code = (CODE / "config" / "settings.py").read_text(encoding="utf-8")
    pairs = re.findall(
        r"env\.(?:amount|number|choice|text)\(\"([A-Z_]+)\", \"?([\w-]+)\"?[,)]", code
    )
    assert len(pairs) > 10
    for name, default in pairs:
        row = next(line for line in page("settings").splitlines() if f"| `MICKLE_{name}` |" in line)
        assert f"`{default}`" in row.split("|")[2], f"MICKLE_{name} is {default} by itself"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_each_of_its_options_is_named(name):
    command = load_command_class("mickle.ops", name.replace("-", "_"))
    parser = command.create_parser("mickle", name)
    options = {text for action in parser._actions for text in action.option_strings}
    common = {"--data", "--help", "-h"}
    assert common <= options
    told = {word.split()[0] for word in first_column(section(page("commands"), name))}
    assert told == options - common
    text = section(page("commands"), name)
    for action in parser._actions:
        if not action.option_strings and action.metavar:
            assert str(action.metavar) in text, f"{name} takes {action.metavar}"


def test_no_command_is_named_that_is_not_there():
    titles = set(re.findall(r"^## (.+)$", page("commands"), re.MULTILINE))
    assert titles == {*COMMANDS, "Options of every command"}


def test_every_kind_of_account_is_named_and_whether_it_may_go_below_zero():
    rows = re.findall(r"^\| `([A-Z]+)` \|.*\| (yes|no) \|$", page("books"), re.MULTILINE)
    below = {"COST", "LOSS", "PROVIDER"}
    assert dict(rows) == {kind: "yes" if kind in below else "no" for kind in Kind.values}


def reasons_used() -> set[str]:
    """What stands behind `reason=` in the rooms that post."""
    found: set[str] = set()
    for text in sources().values():
        for call in re.findall(r"\breason=(.+)", text):
            found |= set(re.findall(r"(?<!\{)\"([A-Z_]+)\"", call))
    return found | {f"PAYOUT_{kind}" for kind in Payout.Kind.values}


def test_every_reason_of_a_transfer_is_named_and_no_unknown_one():
    used = reasons_used()
    assert {"SPEND", "SHARE", "TOP_UP", "PAID_OUT", "COST", "PAYOUT_BACK", "CLOSING"} <= used
    assert first_column(section(page("books"), "Transfers")) == used


def test_every_key_begins_as_a_key_in_the_code_does():
    keys = re.findall(r"\| `([a-z-]+):[^`]*` \|$", page("books"), re.MULTILINE)
    assert len(keys) == len(re.findall(r"^\| `", section(page("books"), "Transfers"), re.MULTILINE))
    texts = "\n".join(sources().values())
    used = set(re.findall(r"key=f\"([a-z-]+):", texts))
    used |= set(re.findall(r"SELECT '([a-z-]+):'", texts))
    # Payouts and payins have keys of their own, for their rows and not for the books.
    rows = {"revenue", "rest", "charity", "refund", "by-hand"}
    assert set(keys) == used - rows


@pytest.mark.django_db
def test_every_check_of_the_audit_is_named_and_no_unknown_one():
    rooms = (ledger, settlement, payins, payouts, closing, proofs, teams)
    names = [check.name for room in rooms for check in room.audit()]
    told = section(page("checks"), "What `mickle audit` checks")
    rows = re.findall(r"^\| ([^|`]+?) \|", told, re.MULTILINE)
    assert [row for row in rows if row not in ("Check", "---")] == names


def test_every_constraint_is_named_and_no_unknown_one():
    rooms = [app for app in apps.get_app_configs() if app.name.startswith("mickle.")]
    names = {
        constraint.name
        for room in rooms
        for model in room.get_models()
        for constraint in model._meta.constraints
    }
    assert len(names) > 40
    assert first_column(section(page("checks"), "Constraints")) == names


def test_every_state_of_a_month_a_line_and_a_void_nod_is_named():
    text = page("months")
    states = {f"`{state}`" for state in State}
    assert states <= set(re.findall(r"`[^`]+`", text))
    assert first_column(section(text, "Lines")) == set(Line.State.values)
    for void in Nod.Void.values:
        assert f"`{void}`" in text


def _code_of(name: str) -> str:
    return (CODE / name).read_text(encoding="utf-8")


def test_every_parameter_of_the_edge_is_named():
    text = page("edge")
    asked = _code_of("edge/_asking.py")
    for name in re.findall(r"_one_of\(chosen, \"([a-z]+)\"", asked):
        assert f"| `{name}` |" in text
    drawing = _code_of("edge/_drawing.py")
    for values in re.findall(r"^(?:SIZES|THEMES|LANGUAGES) = \(([^)]+)\)", drawing, re.MULTILINE):
        for value in re.findall(r"\"([a-z]+)\"", values):
            assert f"`{value}`" in text
    for path in re.findall(r"\"(/b/[a-z.]+)\": _", _code_of("edge/edge.py")):
        assert f"## `{path}`" in text


def test_the_schema_of_the_reference_is_the_one_the_command_reads():
    told = json.loads((REFERENCE / "world.schema.json").read_text(encoding="utf-8"))
    assert told == json.loads(_code_of("ops/world.schema.json"))


def test_every_key_of_a_world_is_named_and_no_unknown_one():
    schema = json.loads(_code_of("ops/world.schema.json"))
    keys = set(schema["properties"])
    for part in schema["properties"].values():
        keys |= set(part.get("items", {}).get("properties", {}))
    rows = re.findall(r"^\|[^|]*\| ([^|]*) \|", section(page("world"), "Keys"), re.MULTILINE)
    assert {word for cell in rows for word in re.findall(r"`([^`]+)`", cell)} == keys
