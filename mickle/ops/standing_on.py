"""What a piece of software stands on, and where those projects live. Touches no table."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from mickle.lib.errors import Refused

INCLUDES_AT_MOST = 20
# Labels of Project-URL, the best first; documentation and funding pages are not the project.
_LABELS = (
    *("homepage", "home", "website", "repository", "source", "sourcecode", "code", "github"),
    *("gitlab", "codeberg"),
)
# A requirement: the name, extras, then the end or a version, an address, a marker or an option.
_NAME = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"\s*+(?:\[[^\]]*\]\s*+)?(?=$|[<>=!~;@(]|--)"
)
# A project given by where it lies; pip alone could tell its name.
_PLACE = re.compile(r"(?:(?:-e|--editable)[ =]+)?(?P<place>[\w+]+://\S+|\.{0,2}/\S*|\.)")
_INCLUDE = re.compile(r"(?:-r|--requirement)[ =]*(?P<file>\S+)")
_SHORT = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_SCP = re.compile(r"git@(?P<host>[^:/]+)[:/](?P<path>.+)")
# A port for ssh or git is none of the web's; in place of one some write a colon as scp does.
_GIT = re.compile(r"(?:git|ssh)://(?:[^@/]*@)?(?P<host>[^:/]+)(?::[0-9]*(?=/))?[:/](?P<path>.+)")


class Unreadable(Refused):
    """The file does not say what a piece of software stands on."""


@dataclass(frozen=True)
class Project:
    """One project; `url` is empty where its home page is not known."""

    name: str
    url: str = ""
    summary: str = ""
    author: str = ""


def installed() -> list[Project]:
    """Every distribution of the running environment, by name."""
    # What an install that broke off left behind has no name.
    named = (one for one in metadata.distributions() if one.metadata["Name"])
    found = {_plain(project.name): project for project in map(_project, named)}
    return [found[name] for name in sorted(found)]


def of_file(path: Path) -> list[Project]:
    """The projects a file or a node_modules folder names; raises Unreadable."""
    if path.is_dir():
        projects = list(_node_modules(path))
    elif path.suffix == ".toml":
        projects = _looked_up(_pylock(path))
    else:
        projects = _looked_up(_requirements(path, []))
    projects = [replace(one, name=_seen(one.name)) for one in projects]
    if not projects:
        raise Unreadable(
            _(
                "%(path)s names no project: give a requirements.txt, a pylock.toml or a "
                "node_modules folder. Nothing was changed."
            )
            % {"path": path}
        )
    return projects


def _seen(name: str) -> str:
    """A name fit for a terminal: what a file calls a project may steer one, or be no text."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name
    )


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _looked_up(names: Iterable[str]) -> list[Project]:
    """Each name once, with what the installed metadata says of it."""
    found: dict[str, Project] = {}
    for name in names:
        if _plain(name) not in found:
            try:
                found[_plain(name)] = _project(metadata.distribution(name))
            except metadata.PackageNotFoundError:
                found[_plain(name)] = Project(name)
    return list(found.values())


def _project(distribution: metadata.Distribution) -> Project:
    facts = distribution.metadata
    return Project(
        name=facts["Name"],
        url=_home(facts.get_all("Project-URL") or [], facts["Home-page"] or ""),
        summary=facts["Summary"] or "",
        author=facts["Author"] or _person(facts["Author-email"] or ""),
    )


def _person(address: str) -> str:
    """The name of `Jane Doe <jane@example.org>`; an address alone is nobody's name."""
    name, bracket, _rest = address.partition("<")
    return name.strip(' "') if bracket else ""


def _home(labelled: Iterable[str], home_page: str) -> str:
    known: dict[str, str] = {}
    for line in labelled:
        label, _comma, url = line.partition(",")
        known.setdefault(re.sub(r"[^a-z]", "", label.lower()), url.strip())
    ranked = [known.get("homepage", ""), home_page.strip(), *map(known.get, _LABELS)]
    return next((url for url in ranked if url and _is_web(url)), "")


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _requirements(path: Path, seen: list[Path]) -> Iterator[str]:
    """The names in a requirements file and in those it includes."""
    seen.append(path.resolve())
    text = re.sub(r"\\\r?\n", " ", _text(path))
    for number, raw in enumerate(text.splitlines(), start=1):
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        if include := _INCLUDE.match(line):
            other = path.parent / include["file"]
            if other.resolve() not in seen and len(seen) < INCLUDES_AT_MOST:
                yield from _requirements(other, seen)
        elif place := _PLACE.match(line):
            # Who may fetch it is nobody's to read in an answer.
            yield re.sub(r"(?<=://)[^/\s]*@", "", place["place"])
        elif name := _NAME.match(line):
            yield name["name"]
        elif line and not line.startswith("-"):
            raise Unreadable(
                _("line %(line)s of %(path)s is no requirement. Nothing was changed.")
                % {"line": number, "path": path}
            )


def _pylock(path: Path) -> list[str]:
    try:
        packages = tomllib.loads(_text(path)).get("packages", [])
        names = [package["name"] for package in packages]
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable(_no_lock(path)) from error
    if not all(isinstance(name, str) and name for name in names):
        raise Unreadable(_no_lock(path))
    return names


def _no_lock(path: Path) -> str:
    return _("%s is no lock file. Nothing was changed.") % path


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(_("%s is not a text. Nothing was changed.") % path) from error


def _node_modules(folder: Path) -> Iterator[Project]:
    """The packages in a node_modules folder, with those that lie inside them."""
    found: dict[str, Project] = {}
    folders = [folder]
    # Packages of one workspace lie in each other by links.
    seen: set[Path] = set()
    while folders:
        here = folders.pop().resolve()
        if here in seen:
            continue
        seen.add(here)
        for package in sorted([*here.glob("*/package.json"), *here.glob("@*/*/package.json")]):
            project = _package(package) if package.is_file() else None
            if project is not None:
                found.setdefault(project.name, project)
            if (inner := package.parent / "node_modules").is_dir():
                folders.append(inner)
    yield from found.values()


def _package(path: Path) -> Project | None:
    try:
        facts = json.loads(_text(path))
    except (ValueError, RecursionError, Unreadable):
        return None
    if not isinstance(facts, dict) or not isinstance(facts.get("name"), str) or not facts["name"]:
        return None
    home = facts.get("homepage")
    url = home if isinstance(home, str) and _is_web(home) else _repository(facts.get("repository"))
    summary, author = facts.get("description"), facts.get("author")
    named = author.get("name") if isinstance(author, dict) else author
    return Project(
        name=facts["name"],
        url=url,
        summary=summary if isinstance(summary, str) else "",
        author=named.partition("<")[0].strip() if isinstance(named, str) else "",
    )


def _repository(given: Any) -> str:
    """The web address of npm's `repository`, in any of its spellings; empty when it is none."""
    text = given.get("url", "") if isinstance(given, dict) else given
    if not isinstance(text, str) or not text:
        return ""
    text = text.removeprefix("git+").removesuffix(".git")
    host, colon, path = text.partition(":")
    if colon and host in _SHORT:
        return f"https://{_SHORT[host]}/{path}"
    if not colon and re.fullmatch(r"\w[\w.-]*/[\w.-]+", text):
        return f"https://github.com/{text}"
    if found := _SCP.fullmatch(text) or _GIT.fullmatch(text):
        return f"https://{found['host']}/{found['path']}"
    return text if _is_web(text) else ""
