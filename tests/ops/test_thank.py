"""Thanking what a program stands on."""

import json
from importlib import metadata

import pytest

from mickle.nods.models import Nod
from mickle.ops import standing_on
from mickle.ops.standing_on import Project
from mickle.things import things
from mickle.things.models import Thing
from tests.ops.worlds import ago

REQUIREMENTS = """\
# what it needs
Django>=5.2  # pages
uvicorn[standard] ; python_version >= "3.11"
a2wsgi==1.10.10 \\
    --hash=sha256:0000
-r more.txt
-c constraints.txt
--index-url https://index.example/simple
not-installed-anywhere
django
-e ./local
git+https://git.example/a.git#egg=a
"""


def test_requirements_are_looked_up_in_the_installed_metadata(loaded, tmp_path):
    (tmp_path / "r.txt").write_text(REQUIREMENTS)
    (tmp_path / "more.txt").write_text("whitenoise @ https://x.example/w.whl\n-r r.txt\n")
    assert loaded("thank", str(tmp_path / "r.txt"), "--member", "alice") == 0, loaded.err
    assert f"New nods of alice for {ago(0)}: 4. Given before: 0." in loaded.out
    unknown = "No home page is known of: not-installed-anywhere, ./local, git+https://git.example"
    assert unknown in loaded.out
    django = things.find(url="https://www.djangoproject.com/")
    assert (django.title, django.category) == ("Django", "software")
    assert django.description.startswith("A high-level Python")
    assert {nod.source for nod in Nod.objects.filter(thing=django)} == {"thank"}


def test_a_second_time_nothing_is_new(loaded, tmp_path):
    (tmp_path / "r.txt").write_text("django\nno-such-thing\n")
    words = ("thank", str(tmp_path / "r.txt"), "--member", "alice")
    assert loaded.json(*words)["nodded"] == ["Django"]
    count = Thing.objects.count(), Nod.objects.count()
    found = loaded.json(*words)
    assert (found["nodded"], found["before"], found["unknown"]) == (
        *([], ["Django"], ["no-such-thing"]),
    )
    assert (Thing.objects.count(), Nod.objects.count()) == count


def test_the_running_environment_is_thanked(loaded):
    found = loaded.json("thank", "--installed", "--member", "alice")
    names = found["nodded"] + found["before"] + found["unknown"] + found["refused"]
    assert {"Django", "uvicorn", "schwifty"} <= set(found["nodded"])
    assert len(names) == len({dist.metadata["Name"].lower() for dist in metadata.distributions()})
    assert found["unknown"] == ["mickle"]


def test_what_a_broken_install_left_behind_is_no_project(tmp_path, monkeypatch):
    (tmp_path / "left-1.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert "Django" in [one.name for one in standing_on.installed()]


def test_a_lock_file_is_read(loaded, tmp_path):
    (tmp_path / "pylock.toml").write_text(
        'lock-version = "1.0"\n[[packages]]\nname = "django"\n[[packages]]\nname = "zzz-none"\n'
    )
    found = loaded.json("thank", str(tmp_path / "pylock.toml"), "--member", "alice")
    assert (found["nodded"], found["unknown"]) == (["Django"], ["zzz-none"])


def package(folder, **facts):
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps(facts))


def test_a_folder_of_modules_is_read_with_what_lies_inside(loaded, tmp_path):
    modules = tmp_path / "node_modules"
    package(modules / "left", name="left", homepage="https://left.example/", description="Pads.")
    package(
        modules / "@scope" / "a", name="@scope/a", repository={"url": "git+https://g.example/a.git"}
    )
    package(modules / "left" / "node_modules" / "in", name="inner", repository="github:x/inner")
    package(modules / "left" / "test" / "fixture", name="fixture", homepage="https://no.example/")
    package(modules / "bare", name="bare")
    package(modules / "unnamed", name="")
    for number, text in enumerate(("{", "[" * 100_000, '{"name": ' + "9" * 5_000 + "}")):
        (modules / f"broken-{number}").mkdir()
        (modules / f"broken-{number}" / "package.json").write_text(text)
    (modules / "folder" / "package.json").mkdir(parents=True)
    found = loaded.json("thank", str(modules), "--member", "alice")
    assert sorted(found["nodded"]) == ["@scope/a", "inner", "left"]
    assert found["unknown"] == ["bare"]
    assert things.find(url="https://g.example/a") is not None


def test_packages_that_lie_in_each_other_by_links_end(tmp_path, monkeypatch):
    modules, texts = tmp_path / "node_modules", []
    for name, other in ("ab", "ba"):
        package(modules / name, name=name)
        (modules / name / "node_modules").mkdir()
        (modules / name / "node_modules" / other).symlink_to(modules / other)
    text = standing_on._text
    monkeypatch.setattr(standing_on, "_text", lambda path: texts.append(path) or text(path))
    assert [one.name for one in standing_on.of_file(modules)] == ["a", "b"]
    assert len(texts) == 2 + 2


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("npm/cli", "https://github.com/npm/cli"),
        ("gitlab:a/b", "https://gitlab.com/a/b"),
        ("git://github.com/a/b.git", "https://github.com/a/b"),
        ("git+ssh://git@github.com/a/b.git", "https://github.com/a/b"),
        ("git@github.com:a/b.git", "https://github.com/a/b"),
        ("git+ssh://git@github.com:a/b.git", "https://github.com/a/b"),
        ("ssh://git@code.example:2222/a/b.git", "https://code.example/a/b"),
        ("ssh://alice:secret@code.example/a/b", "https://code.example/a/b"),
        ("git://code.example:9418/a/b.git", "https://code.example/a/b"),
        ("https://code.example:8443/a/b.git", "https://code.example:8443/a/b"),
        ({"type": "git", "url": "https://x.example/r"}, "https://x.example/r"),
        ("gist:11081aaa281", ""),
        ("./here", ""),
        (7, ""),
        (None, ""),
        ({"url": None}, ""),
    ],
)
def test_a_repository_is_known_in_each_spelling(given, url):
    assert standing_on._repository(given) == url


@pytest.mark.parametrize(
    ("labelled", "home_page", "url"),
    [
        (["Homepage, https://a.example"], "https://b.example", "https://a.example"),
        (["Source, https://s.example"], "https://b.example", "https://b.example"),
        (
            ["Documentation, https://d.example", "Source Code, https://s.example"],
            "",
            "https://s.example",
        ),
        (["Documentation, https://d.example"], "UNKNOWN", ""),
        (["Home-Page,https://a.example"], "", "https://a.example"),
        ([], "", ""),
    ],
)
def test_the_home_page_is_the_project_and_never_its_documentation(labelled, home_page, url):
    assert standing_on._home(labelled, home_page) == url


def test_own_projects_and_wrong_addresses_get_no_nod(loaded, monkeypatch):
    projects = [
        Project("mine", "https://bob.example/essay"),
        Project("odd", "https://"),
        Project("good", "https://good.example"),
    ]
    monkeypatch.setattr(standing_on, "installed", lambda: projects)
    found = loaded.json("thank", "--installed", "--member", "bob")
    assert (found["nodded"], found["refused"]) == (["good"], ["mine", "odd"])
    assert loaded("thank", "--installed", "--member", "bob") == 0
    assert "No nod for: mine, odd." in loaded.out


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("r.txt", "django\nThis is prose.\n", "line 2 of"),
        ("r.txt", "", "names no project"),
        ("r.txt", "# only words\n", "names no project"),
        ("pylock.toml", "packages = 7", "is no lock file"),
        ("pylock.toml", "[[packages]]\nversion = '1'", "is no lock file"),
        ("pylock.toml", "= broken", "is no lock file"),
        ("pylock.toml", "[[packages]]\nname = 1979-05-27", "is no lock file"),
        ("pylock.toml", "[[packages]]\nname = ''", "is no lock file"),
        ("pylock.toml", "a = " + "[" * 100_000, "is no lock file"),
        ("pylock.toml", "a = " + "9" * 5_000, "is no lock file"),
        ("r.txt", b"\xff\xfe\x00", "is not a text"),
    ],
)
def test_what_names_no_project_is_refused(loaded, tmp_path, name, content, told):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = Nod.objects.count()
    assert told in loaded.refused("thank", str(path), "--member", "alice")
    assert Nod.objects.count() == before


def test_a_line_with_a_long_gap_is_read_at_once(tmp_path):
    """Each space of it once: where each was tried with all behind it, this took a quarter hour."""
    (tmp_path / "r.txt").write_text("a" + " " * 200_000 + "x\n")
    with pytest.raises(standing_on.Unreadable, match="line 1 of"):
        standing_on.of_file(tmp_path / "r.txt")


def test_no_password_of_an_address_is_answered(loaded, tmp_path):
    (tmp_path / "r.txt").write_text("git+https://bot:s3cret@git.example/a.git@v1\n")
    words = ("thank", str(tmp_path / "r.txt"), "--member", "alice")
    assert loaded.json(*words)["unknown"] == ["git+https://git.example/a.git@v1"]


@pytest.mark.parametrize("sign", ["\x1b[2J", "\x07", "\n", "\u202e", "\ud800", "\x9b"])
def test_no_name_of_a_package_steers_the_terminal(loaded, tmp_path, sign):
    package(tmp_path / "node_modules" / "a", name=f"a{sign}b")
    assert loaded("thank", str(tmp_path / "node_modules"), "--member", "alice") == 0, loaded.err
    assert loaded.out.endswith(f": a\ufffd{sign[1:]}b.")


def test_one_of_file_and_environment_is_needed(loaded, tmp_path):
    assert "either a FILE or --installed" in loaded.refused("thank", "--member", "alice")
    both = ("thank", str(tmp_path), "--installed", "--member", "alice")
    assert "either a FILE or --installed" in loaded.refused(*both)


def test_a_folder_without_modules_is_refused(loaded, tmp_path):
    assert "names no project" in loaded.refused("thank", str(tmp_path), "--member", "alice")
