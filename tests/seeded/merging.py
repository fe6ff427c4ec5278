"""Bugs of merged pages, of teams left and joined, of restored backups and loaded worlds."""

from tests.seeded.bug import Bug

_MERGED = "tests/nods/test_merged.py"
_TEAMS = "tests/teams/test_agreeing.py"
_FUNDS = "tests/ops/test_load_funds.py"

MERGING = [
    Bug(
        "a nod given before a merge is taken back at its old address alone",
        "nods/write.py",
        "JOIN things_thing t ON t.merged_into_id = COALESCE(a.merged_into_id, a.id)",
        "JOIN things_thing t ON t.id = a.id",
        f"{_MERGED} -k whichever",
    ),
    Bug(
        "of what is taken back at several addresses one is counted down",
        "nods/nods.py",
        "        for thing_id in sorted(gone):\n",
        "        for thing_id in sorted(gone)[:1]:\n",
        f"{_MERGED} -k whichever",
    ),
    Bug(
        "who closes the account lowers counts in an order of their own",
        "nods/nods.py",
        "        for thing_id in sorted(gone):\n",
        "        for thing_id in gone:\n",
        f"{_MERGED} -k in_the_order",
    ),
    Bug(
        "a page does not say that one nodded before it took another in",
        "nods/nods.py",
        "    return Q(thing=target) | Q(thing__merged_into=target)\n",
        "    return Q(thing=target)\n",
        f"{_MERGED} -k stays",
    ),
    Bug(
        "who left a team reads what it joins afterwards",
        "teams/_reading.py",
        "held = stay[0] < stay[1]",
        "held = stay[0] < _ALWAYS[1]",
        f"{_TEAMS} -k came_into_another",
    ),
    Bug(
        "who agreed to a team that never began cannot read it",
        "teams/_reading.py",
        "if not (held or party == member):",
        "if not held:",
        f"{_TEAMS} -k before_it_begins",
    ),
    Bug(
        "a page that is shown in another way by now stays in the team of who left",
        "teams/_writing.py",
        "if place_of(one) != row.scope_id}",
        "if one.scope_id != row.scope_id}",
        f"{_TEAMS} -k shown_in_another_way",
    ),
    Bug(
        "who has closed meanwhile comes into a team",
        "teams/teams.py",
        "    _check_staying(percents)\n    row",
        "    row",
        f"{_TEAMS} -k has_closed_since",
    ),
    Bug(
        "a page that is another's by now is said to be shared",
        "teams/teams.py",
        "if row.owner_id in (keeper.id, None)]",
        "if row.keeper_id in (keeper.id, None)]",
        "tests/journeys/test_teaming.py -k anothers_by_now",
    ),
    Bug(
        "a bank takes the file of a restored backup for a new one",
        "payouts/_bank.py",
        "sepa.message_id(rows[0].id, rows[0].requested_at)",
        "sepa.message_id(rows[0].id, at)",
        "tests/payouts/test_bank.py -k restored_backup",
    ),
    Bug(
        "a copy of a data folder removes what the original is at",
        "lib/leftovers.py",
        'return str(elsewhere) if noted == number else ""',
        "return str(elsewhere)",
        "tests/lib/test_leftovers.py -k a_copy",
    ),
    Bug(
        "visitors read in which folder an archive was",
        "web/errors.py",
        "            return away(request, text)\n",
        "            return away(request, str(why))\n",
        "tests/settlement/test_past.py",
    ),
    Bug(
        "funds of a world without a month are booked again a month later",
        "payins/_many.py",
        "Q(key__in=[row.key for row in rows]) | Q(member_id__in=undated)",
        "Q(key__in=[row.key for row in rows])",
        f"{_FUNDS} -k whenever",
    ),
    Bug(
        "a longer world books funds again before its first nod",
        "payins/_many.py",
        "if row.dated or row.key in earlier:",
        "if row.dated or row.key:",
        f"{_FUNDS} -k longer",
    ),
    Bug(
        "of two owners of a page in a world one loses it and nobody says so",
        "ops/loading.py",
        "if owners.setdefault(thing_id, owner) != owner and owner:",
        "if owners.setdefault(thing_id, owner) != owner and not owner:",
        "tests/ops/test_load.py -k two_owners",
    ),
    Bug(
        "a world calls somebody as a closed account",
        "ops/_loading_people.py",
        "        if members.is_of_the_closed(name):\n",
        "        if not name:\n",
        "tests/ops/test_load.py -k account_that_was_closed",
    ),
    Bug(
        "of a name that stands twice in a world the first value is lost",
        "ops/world.py",
        "    if len(found) < len(pairs):\n",
        "    if len(found) > len(pairs):\n",
        "tests/ops/test_world.py",
    ),
    Bug(
        "two addresses that could not be decoded are one thing",
        "lib/urls.py",
        'if "\\ufffd" in raw:',
        "if not raw:",
        "tests/lib/test_urls.py",
    ),
    Bug(
        "a host of look-alikes is shown in its own letters",
        "lib/_urls_script.py",
        "if not scripts <= _LIVING or any(map(_is_odd_latin, letters)):",
        "if not scripts <= _LIVING:",
        "tests/lib/test_urls.py",
    ),
]
