"""Reading a described world: what breaks it is named with its line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mickle.ops import world
from tests.ops import worlds

ITEMS = {name: world.SCHEMA["properties"][name]["items"] for name in world.LISTS}


def refusal(text: str) -> str:
    with pytest.raises(world.Broken) as caught:
        world.parse(text)
    return str(caught.value)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(world.SCHEMA)


def test_the_example_is_a_world_but_for_what_comes_later():
    told = refusal(worlds.EXAMPLE.read_text())
    assert told.startswith("line 18: apps: apps come with a later version")
    assert world.parse(json.dumps(worlds.example()))["nods"][0]["member"] == "alice"


@pytest.mark.parametrize("name", worlds.LATER)
def test_what_comes_later_is_named_and_refused(name):
    assert f"line 2: {name}: {name} come with a later" in refusal(
        f'{{"about": "x",\n"{name}": [1]}}'
    )
    world.parse(f'{{"{name}": []}}')


WORLD = """{
 "members": [
  {"username": "alice"},
  {"username": "bob",
   "budget": "5.00"}
 ],
 "things": [{"id": 1, "url": "https://a.example/", "tags": ["x", "y"]}],
 "nods": []
}"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"5.00"', "5.00", "line 5: members[1].budget: 5.00 is not"),
        ('"5.00"', '"ten"', 'line 5: members[1].budget: "ten" is not a monthly budget'),
        ('"budget"', '"budgett"', "line 5: members[1].budgett: a world has no such key"),
        ('{"username": "alice"}', "{}", "line 3: members[0]: “username” is missing"),
        ('{"username": "alice"}', "[]", "line 3: members[0]: [] is not a member"),
        ('"alice"', '"al ice"', "line 3: members[0].username:"),
        ('"alice"', '"' + "a" * 70 + '"', "…"),
        ('"x", "y"', '"x", 7', "line 7: things[0].tags[1]: 7 is not a tag"),
        ('"alice"', '"alice\\n"', "line 3: members[0].username:"),
        ('"5.00"', '"5.00\\n"', "line 5: members[1].budget:"),
        ('"bob"', '"bob", "country": "SE\\n"', "line 4: members[1].country:"),
        ('"id": 1', '"id": true', "line 7: things[0].id: true is not a whole number"),
        ('"id": 1', '"id": 0', "things[0].id: 0 is not"),
        ('"id": 1', '"id": 1.0', "things[0].id: 1.0 is not"),
        ('"nods": []', '"nods": [],\n "things": []', "line 9: “things” stands here twice"),
        ('"bob"', '"bob",\n"username": "eve"', "line 5: “username” stands here twice"),
        ('"bob"', '"bob", "about": {"a": [{"b": 1,\n"b": 1}]}', "line 5: “b” stands here twice"),
        ('"nods": []', '"nods": {}', "line 8: nods: "),
        ('"nods": []', '"nodds": []', "line 8: nodds: a world has no such key"),
        ('"nods": []', '"nods": [,]', "line 8: this is not JSON"),
        ('"nods": []', '"about": "\\u0000"', r"line 8: \u0000 is no letter"),
        ('"nods": []', '"about": "\\ud83d"', r"line 8: \ud83d is no letter"),
        ('"nods": []', '"about": "\\ude00"', r"line 8: \ude00 is no letter"),
    ],
)
def test_the_breaking_place_is_named_with_its_line(old, new, told):
    assert old in WORLD
    text = WORLD.replace(old, new)
    said = refusal(text)
    assert told in said
    assert said.startswith("line ")
    assert said.endswith(". Nothing was loaded.")


def test_letters_beyond_the_basic_plane_may_be_escaped():
    found = world.parse('{"members": [{"username": "a", "name": "\\ud83d\\ude00"}]}')
    assert found["members"][0]["name"] == "\U0001f600"


@pytest.mark.parametrize(
    "text", ["", "[]", "7", "null", '"x"', "[" * 100_000, "9" * 5000, '{"about": NaN}']
)
def test_what_is_no_world_at_all_is_refused(text):
    assert refusal(text).startswith("line 1: ")


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path):
    path = tmp_path / "w.json"
    path.write_bytes(b'{\n"about": "caf\xe9"}')
    with pytest.raises(world.Broken, match="line 2: this is not UTF-8 text"):
        world.read(path)


def test_a_mark_in_front_of_a_file_is_passed_over(tmp_path):
    path = tmp_path / "w.json"
    path.write_bytes(b'\xef\xbb\xbf{\r\n"members": [{"username": "zoe"}]}\r\n')
    assert world.read(path)["members"] == [{"username": "zoe"}]


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 400),
    st.text(max_size=4),
    st.sampled_from(
        [
            *("alice", "5.00", "5.0000001", "2026-10", "2026-13", "https://a.example/", "SE", "en"),
            *("2026-10-03T12:00:00Z", "text", "x" * 61, 2**60),
        ]
    ),
    st.lists(st.text(max_size=3), max_size=2),
)


@pytest.mark.parametrize("name", world.LISTS)
@given(data=st.data())
def test_the_quick_test_lets_only_pass_what_the_schema_allows(name, data):
    rule = ITEMS[name]
    keys = st.sampled_from([*rule["properties"], "other"])
    row = data.draw(st.one_of(st.dictionaries(keys, leaves, max_size=9), leaves))
    if world.compiled(rule)(row):
        Draft202012Validator(rule).validate(row)


@pytest.mark.parametrize("name", world.LISTS)
def test_the_quick_test_knows_the_example(name):
    fits = world.compiled(ITEMS[name])
    assert all(fits(row) for row in worlds.example()[name])


def test_a_schema_that_outgrows_the_quick_test_is_noticed():
    with pytest.raises(ValueError, match="format"):
        world.compiled({"type": "string", "format": "uri"})
    with pytest.raises(ValueError, match="together"):
        world.compiled({"type": "string", "minLength": 1, "maxLength": 2, "pattern": "a"})
