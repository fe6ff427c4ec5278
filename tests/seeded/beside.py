"""Bugs of what two do at once with money that waits."""

from tests.seeded.bug import Bug

BESIDE = [
    Bug(
        "a refusal posts line by line, in no order of pots",
        "settlement/_waiting.py",
        "        _hold_pots(waiting)\n",
        "",
        "tests/concurrency/test_beside_a_release.py -k refusal",
        database="postgresql",
    ),
    Bug(
        "a release posts line by line, in no order of pots",
        "settlement/_waiting.py",
        "        _hold_pots(waiting, people)\n",
        "",
        "tests/concurrency/test_beside_a_release.py -k two_pages",
        database="postgresql",
    ),
    Bug(
        "who receives may leave while it is released",
        "settlement/_waiting.py",
        "    list(Member.objects.select_for_update(no_key=True).filter(id__in=people)",
        "    list(Member.objects.filter(id__in=people)",
        "tests/concurrency/test_beside_a_release.py -k leaves_beside",
        database="postgresql",
    ),
    Bug(
        "who left as a release began is paid",
        "members/members.py",
        "filter(suspended_at=None, closed_at=None, closing_at=None, is_team=False)",
        "filter(suspended_at=None, is_team=False)",
        "tests/concurrency/test_beside_a_release.py -k who_left",
        database="postgresql",
    ),
    Bug(
        "a failed refund holds the accounts before the member",
        "payouts/_bank.py",
        "            Member.objects.select_for_update(no_key=True).get(id=payout.member_id)",
        "            Member.objects.get(id=payout.member_id)",
        "tests/concurrency/test_beside_a_release.py -k failed_refund",
        database="postgresql",
    ),
    Bug(
        "a rehearsal takes the fence before the owners",
        "settlement/settlement.py",
        "        instance.take_owners()\n        # No other connection",
        "        # No other connection",
        "tests/concurrency/test_beside_a_release.py -k rehearsal",
        database="postgresql",
    ),
]
