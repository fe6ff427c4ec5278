"""The pages for people: links lead somewhere, decisions are whole, no machine is named."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

_BINARY = {".png", ".woff2", ".mo", ".pyc"}
_CODE = re.compile(r"^```.*?^```|^(?: {4}|\t).*?$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^\]\\]|\\.)*\]\(([^)\s]+)(?:\s\"[^\"]*\")?\)")
# In brackets, so that this file is none of those it finds.
_ELSEWHERE = re.compile(r"/wor[k]/|index-url[ =]+https?://(?!\S*example)")
# Places on somebody's disk, and hosts that only one network knows.
_MACHINE = re.compile(
    r"/wor[k]/|/home/\w|/root/|/tmp/\w|(?<![\w.])(?:localhost|127\.0\.0\.1):(?!8000\b|5432\b|8080\b)\d"
    r"|\b10\.\d+\.\d+\.\d+|\b192\.168\.|\bindex-url\b|\bregistry\.|\bmirror\b|\.internal\b|\.local/(?!share)"
)


def anchors(path: Path) -> set[str]:
    """The names headings have as targets of links."""
    text = _CODE.sub(
        lambda found: found[0].replace("#", "") if "\n" in found[0] else found[0], path.read_text()
    )
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}


def test_the_pages_are_found():
    assert {"README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md"} <= set(NAMES)
    assert len(PAGES) > 30


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(path):
    for target in _LINK.findall(_CODE.sub("", path.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _hash, place = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), f"{target} is not there"
        assert there.is_relative_to(ROOT), f"{target} leads out of the repository"
        if place:
            assert place in anchors(there), f"{target} names no heading"


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_no_page_names_a_machine_or_a_registry(path):
    found = _MACHINE.search(path.read_text(encoding="utf-8"))
    assert found is None, f"“{found[0]}” is of one machine only"


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_page_has_one_title_and_lines_of_a_readable_length(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert len(re.findall(r"^# ", _CODE.sub("", text), re.MULTILINE)) == 1
    fenced = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL).splitlines()
    # Tables, pictures and code may be wider; a word cannot be broken.
    wide = [line for line in fenced if len(line) > 100 and not line.startswith(("|", "    ", "!["))]
    assert wide == []


def test_every_page_of_the_docs_can_be_reached_from_the_first_one():
    start = ROOT / "README.md"
    seen, ahead = {start}, [start]
    while ahead:
        path = ahead.pop()
        for target in _LINK.findall(path.read_text(encoding="utf-8")):
            there = (path.parent / target.partition("#")[0]).resolve()
            if there.suffix == ".md" and there.exists() and there not in seen:
                seen.add(there)
                ahead.append(there)
    assert [str(path.relative_to(ROOT)) for path in PAGES if path not in seen] == []


def test_decisions_are_numbered_without_a_gap():
    numbers = [int(path.name[:3]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_every_decision_has_a_question_an_answer_and_a_cost(path):
    text = path.read_text(encoding="utf-8")
    assert re.fullmatch(r"\d{3}-[a-z0-9-]+\.md", path.name)
    assert re.match(r"# [^\n]*\?\n", text), "the title is the question"
    parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert parts == ["Question", "Answer", "What it costs"]
    bodies = re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]
    assert all(len(body.split()) > 10 for body in bodies)
    assert len(text.splitlines()) <= 45, "half a page"


def test_no_file_of_the_repository_names_where_it_was_made():
    folders = ("mickle", "tests", "tools", "bench", "docs", "requirements", ".ci")
    paths = [path for name in folders for path in (ROOT / name).rglob("*") if path.is_file()]
    paths += [path for path in ROOT.iterdir() if path.is_file()]
    texts = [path for path in paths if path.suffix not in _BINARY]
    assert len(texts) > 200
    found = [
        f"{path}: {mark[0]}" for path in texts if (mark := _ELSEWHERE.search(path.read_text()))
    ]
    assert found == []
