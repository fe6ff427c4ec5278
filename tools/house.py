"""The house's own rules, which no linter knows: sizes, private names, one writer for each table.

Prints each breach as `path:line: sentence` and exits 1 when there is one.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
FILE_LINES = 400
FUNCTION_LINES = 40
WRITES = {
    "acreate", "bulk_create", "bulk_update", "create", "delete", "get_or_create", "save",
    "update", "update_or_create",
}  # fmt: skip
# Written by allauth and Django, or by a table's own room alone.
RAW_WRITE = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+([a-z]+)_[a-z]+", re.IGNORECASE)
LEFT_OVER = re.compile(r"\b(?:TODO|FIXME|XXX|NotImplementedError)\b")


def room_of(path: Path) -> str:
    """The room a file of the package lies in; empty for files beside the rooms."""
    parts = path.relative_to(HOUSE / "mickle").parts
    return parts[0] if len(parts) > 1 else ""


def sizes(text: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Files and functions that grew past their room."""
    if (lines := text.count("\n")) > FILE_LINES:
        yield 1, f"{lines} lines; a file has at most {FILE_LINES}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {length} lines; at most {FUNCTION_LINES}"


def hidden_imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Imports inside functions hide a floor that is broken."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield inner.lineno, "an import hides in a function"


def private_names(room: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """A _private name or module stays in its room."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("mickle."):
            continue
        there = (node.module or "").split(".")
        if there[1] == room:
            continue
        private = [part for part in there[2:] if part.startswith("_")]
        private += [alias.name for alias in node.names if alias.name.startswith("_")]
        for name in private:
            yield node.lineno, f"{name} is private to mickle.{there[1]}"


def foreign_writes(room: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """A table has one writer: its room."""
    foreign = _foreign_models(room, tree)
    rooms = _rooms() - {room}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = _model(node.func.value) if node.func.attr in WRITES else ""
            if name in foreign:
                yield node.lineno, f"{name} is written by mickle.{foreign[name]} alone"
            if (owner := _bulk_owner(node)) in rooms:
                yield node.lineno, f"a table of mickle.{owner} is written by it alone"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for owner in rooms & set(RAW_WRITE.findall(node.value)):
                yield node.lineno, f"a table of mickle.{owner} is written by it alone"


def _foreign_models(room: str, tree: ast.AST) -> dict[str, str]:
    """Models of other rooms that a file imports, with their room."""
    foreign: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".models"):
            owner = (node.module or "").split(".")
            if owner[0] == "mickle" and owner[1] != room:
                foreign |= {alias.asname or alias.name: owner[1] for alias in node.names}
    return foreign


def _bulk_owner(node: ast.Call) -> str:
    """The room whose table stands in `bulk.write(cursor, "room_table", ...)`."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name("bulk"), attr="write" | "next_ids"),
            args=[_, ast.Constant(str(table)), *_],
        ):
            return table.split("_")[0]
    return ""


def _rooms() -> set[str]:
    return {path.parent.name for path in (HOUSE / "mickle").glob("*/__init__.py")}


def _model(node: ast.expr) -> str:
    """The model at the root of `Model.objects.filter(...)`."""
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            node = node.value
        else:
            break
    return node.id if isinstance(node, ast.Name) else ""


def breaches(path: Path) -> Iterator[tuple[int, str]]:
    """Everything a file breaks."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    yield from sizes(text, tree)
    for number, line in enumerate(text.splitlines(), start=1):
        if path != Path(__file__).resolve() and LEFT_OVER.search(line):
            yield number, "something was left for later"
    if path.is_relative_to(HOUSE / "mickle"):
        room = room_of(path)
        yield from hidden_imports(tree)
        yield from private_names(room, tree)
        yield from foreign_writes(room, tree)


def main() -> int:
    """Check every Python file of the package, the tests, the benchmarks and the tools."""
    found = 0
    for folder in ("mickle", "tests", "bench", "tools"):
        for path in sorted((HOUSE / folder).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for line, sentence in breaches(path):
                found += 1
                print(f"{path.relative_to(HOUSE)}:{line}: {sentence}")
    print(f"house: {found} breaches" if found else "house: in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
