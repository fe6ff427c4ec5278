"""Reads a described world: JSON, checked against its schema, with the line of what is wrong."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files
from json.decoder import JSONDecoder
from pathlib import Path
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from mickle.lib.errors import Refused

Path_ = tuple[str | int, ...]
Row = dict[str, Any]

SCHEMA: dict[str, Any] = json.loads((files("mickle.ops") / "world.schema.json").read_text("utf-8"))
LISTS = ("charities", "members", "things", "nods", "subscriptions")
SHOWN_CHARACTERS = 60

# Escapes of what no database keeps: NUL, and halves of letters that stand alone.
_UNFIT = re.compile(
    r"\\u0000|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
# The rooms below end their refusals so; the line's own sentence says it once.
_ENDING = re.compile(r"\s*Nothing was \w+(?: now)?\.$")


class Broken(Refused):
    """The file is no world; the sentence begins with the line where it breaks."""


class _Twice(Exception):
    """A name stands twice in one object."""


@dataclass(frozen=True)
class World:
    """A described world; `text` is what it was read from, for the lines of what is wrong."""

    rows: Mapping[str, list[Row]] = field(repr=False)
    text: str = field(default="", repr=False)

    def __getitem__(self, name: str) -> list[Row]:
        return self.rows.get(name, [])

    def broken(self, path: Path_, why: str) -> Broken:
        """The refusal of what stands at a path: line, place, reason."""
        return _broken(self.text, path, why)


def read(path: Path) -> World:
    """The world of a file; raises Broken, or OSError where the file cannot be read."""
    try:
        # Some editors put a mark in front; JSON lets a reader pass over it.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise Broken(_at(line, _("this is not UTF-8 text"))) from error
    return parse(text)


def parse(text: str) -> World:
    """The world of a JSON text; raises Broken."""
    try:
        # No number of a world has a point: one that has breaks the schema at its place.
        found = json.loads(
            text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_once
        )
    except _Twice as error:
        at, name = next(_repeated(text, _skip(text, 0)))
        why = _("“%s” stands here twice") % name
        raise Broken(_at(text.count("\n", 0, at) + 1, why)) from error
    except json.JSONDecodeError as error:
        raise Broken(_at(error.lineno, _("this is not JSON: %s") % error.msg)) from error
    except (RecursionError, ValueError) as error:
        raise Broken(_at(1, _("this is not JSON a world has"))) from error
    if "\\u" in text and (half := _UNFIT.search(text)):
        line = text.count("\n", 0, half.start()) + 1
        raise Broken(_at(line, _("%s is no letter of any text") % half.group()))
    _check(found, text)
    return World({name: found.get(name, []) for name in LISTS}, text)


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> Row:
    """An object; of two values under one name Python would drop the first and say nothing."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


def _repeated(text: str, at: int) -> Iterator[tuple[int, str]]:
    """Where a name stands a second time in its object, and which."""
    seen: set[str | int] = set()
    for name, place in _members(text, at):
        if name in seen:
            yield place, str(name)
        seen.add(name)
        yield from _repeated(text, place)


def _check(world: Any, text: str) -> None:
    """Every row against the schema: quickly, and where one breaks it, by jsonschema's words."""
    hollow = world
    if isinstance(world, dict):
        lists = {name for name in LISTS if isinstance(world.get(name), list)}
        hollow = {name: [] if name in lists else value for name, value in world.items()}
    _explain(SCHEMA, hollow, (), text)
    for name in LISTS:
        rule = SCHEMA["properties"][name]["items"]
        fits = compiled(rule)
        for place, row in enumerate(world.get(name, [])):
            if not fits(row):
                _explain(rule, row, (name, place), text)


def _matches(_validator: Any, text: str, value: Any, _rule: Row) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _ending(text).search(value):
        yield ValidationError(f"{value!r} does not match {text!r}")


def _ending(pattern: str) -> re.Pattern[str]:
    """A pattern of the schema: there `$` is the end, in Python also before a last line break."""
    return re.compile(re.sub(r"\$$", r"\\Z", pattern))


_STRICT = extend(Draft202012Validator, {"pattern": _matches})


def _explain(rule: Row, value: Any, path: Path_, text: str) -> None:
    errors = sorted(_STRICT(rule).iter_errors(value), key=lambda error: list(map(str, error.path)))
    for error in errors[:1]:
        raise _broken(text, *_place(error, path))


def _place(error: Any, path: Path_) -> tuple[Path_, str]:
    """Where a schema error points, and what it says in our words."""
    where = (*path, *error.absolute_path)
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return where, _("“%s” is missing") % missing
    if error.validator == "additionalProperties":
        extra = next(name for name in error.instance if name not in error.schema["properties"])
        return (*where, extra), _("a world has no such key here")
    wanted = error.schema.get("description", _("a world"))
    if error.validator == "maxItems":
        return where, wanted
    given = _shown(error.instance)
    if len(given) > SHOWN_CHARACTERS:
        given = given[:SHOWN_CHARACTERS] + "…"
    return where, _("%(given)s is not %(wanted)s") % {"given": given, "wanted": wanted}


def _shown(value: Any) -> str:
    return (
        str(value)
        if isinstance(value, Decimal)
        else json.dumps(value, ensure_ascii=False, default=str)
    )


def _broken(text: str, path: Path_, why: str) -> Broken:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    sentence = f"{place.lstrip('.')}: {why}" if place else why
    return Broken(_at(line_of(text, path), sentence))


def _at(line: int, why: str) -> str:
    said = _ENDING.sub("", why).rstrip(".")
    return _("line %(line)s: %(why)s. Nothing was loaded.") % {"line": line, "why": said}


def line_of(text: str, path: Path_) -> int:
    """The line on which the value at a path begins; of its surroundings where it is missing."""
    at = _skip(text, 0)
    for step in path:
        found = next((place for name, place in _members(text, at) if name == step), None)
        if found is None:
            break
        at = found
    return text.count("\n", 0, at) + 1


_SPACE = re.compile(r"[ \t\r\n,:]*")
_decode = JSONDecoder().raw_decode


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _members(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    """The names or numbers of what an object or a list holds, with where each value begins."""
    closing, place = {"{": "}", "[": "]"}.get(text[at : at + 1], ""), 0
    if not closing:
        return
    at = _skip(text, at + 1)
    while text[at] != closing:
        name: str | int = place
        if closing == "}":
            name, at = _decode(text, at)
            at = _skip(text, at)
        yield name, at
        _value, at = _decode(text, at)
        at, place = _skip(text, at), place + 1


_TYPES: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def compiled(rule: Row) -> Callable[[Any], bool]:
    """A quick test of what the schema allows, for worlds of a million rows.

    It knows the words this schema uses and no others. What it lets pass is valid; what it does not
    is looked at once more by jsonschema.
    """
    words = [word for word in rule if word in _WORDS]
    unknown = rule.keys() - _WORDS.keys() - {"description", "additionalProperties", "required"}
    if unknown:
        raise ValueError(f"no quick test for {sorted(unknown)}")
    if len(words) > 1:
        # Every other word looks at the type itself.
        words.remove("type")
    first, *others = (_WORDS[word](rule[word], rule) for word in words)
    if not others:
        return first
    if len(others) == 1:
        (second,) = others
        return lambda value: first(value) and second(value)
    raise ValueError(f"no quick test for {words} together")


def _type(names: str | Sequence[str], _rule: Row) -> Callable[[Any], bool]:
    allowed = {_TYPES[name] for name in ([names] if isinstance(names, str) else names)}
    # An exact type: for JSON true is no integer.
    return lambda value: type(value) in allowed


def _properties(named: Mapping[str, Row], rule: Row) -> Callable[[Any], bool]:
    tests = {name: compiled(inner) for name, inner in named.items()}
    required = frozenset(rule["required"])

    def fits(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for name, inner in value.items():
            test = tests.get(name)
            if test is None or not test(inner):
                return False
        return True

    return fits


def _items(rule: Row, _outer: Row) -> Callable[[Any], bool]:
    fits = compiled(rule)
    return lambda value: type(value) is list and all(map(fits, value))


def _pattern(text: str, _rule: Row) -> Callable[[Any], bool]:
    search = _ending(text).search
    return lambda value: type(value) is str and search(value) is not None


_WORDS: Mapping[str, Callable[[Any, Row], Callable[[Any], bool]]] = {
    "type": _type,
    "properties": _properties,
    "items": _items,
    "pattern": _pattern,
    "enum": lambda allowed, _rule: lambda value: value in allowed,
    "minLength": lambda least, _rule: lambda value: type(value) is str and len(value) >= least,
    "maxLength": lambda most, _rule: lambda value: type(value) is str and len(value) <= most,
    "minimum": lambda least, _rule: lambda value: type(value) is int and value >= least,
    "maximum": lambda most, _rule: lambda value: type(value) is int and value <= most,
}
