"""Bugs of the way to a site and back: who may go, how often, and what is believed of the answer."""

from tests.seeded.bug import Bug

_LIES, _TALKING = "tests/claims/test_lies.py -k ", "tests/claims/test_talking.py -k "
_SITES, _AT_ONCE = "tests/claims/test_sites.py -k ", "tests/concurrency/test_showing.py -k "
_JOURNEYS, _CLOSING = "tests/journeys/test_accounts.py -k ", "tests/closing/test_on_the_way.py -k "

SIGNING_IN = [
    Bug(
        "the date of an account has a zone that PostgreSQL does not know",
        "claims/_sites.py",
        "found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)",
        "found.replace(tzinfo=found.tzinfo or UTC)",
        _LIES + "date_in_a_zone",
        "postgresql",
    ),
    Bug(
        "the date of a domain has a zone that PostgreSQL does not know",
        "lib/rdap.py",
        "return at.astimezone(UTC) if",
        "return at if",
        _LIES + "date_of_a_domain",
        "postgresql",
    ),
    Bug(
        "what is on record of a sign-in outgrows its column",
        "claims/_looking.py",
        '{"host": host, "account": account})[:EVIDENCE_CHARACTERS]',
        '{"host": host, "account": account})',
        _LIES + "long_host",
        "postgresql",
    ),
    Bug(
        "a name is as long as it likes",
        "claims/_sites.py",
        "return len(maker(account.text)) <= MAKER_CHARACTERS",
        "return True",
        _LIES + "too_long",
    ),
    Bug(
        "who presses twice is told that nothing was changed",
        "claims/accounts.py",
        "if not foreign and mine.exists():",
        "if foreign and mine.exists():",
        _JOURNEYS + "presses_twice",
    ),
    Bug(
        "who has a token waits for a place to give it back",
        "claims/accounts.py",
        "            line.call(site.revoke(key, token))\n",
        "            with _talking():\n                line.call(site.revoke(key, token))\n",
        _TALKING + "gives_it_back",
    ),
    Bug(
        "a way back is used up before there is a place to talk",
        "claims/accounts.py",
        """    with _talking():
        app = _take(member=member, session=session, site=site, returned=returned, at=at)
""",
        """    app = _take(member=member, session=session, site=site, returned=returned, at=at)
    with _talking():
""",
        _TALKING + "press_again",
    ),
    Bug(
        "of many who begin at once each is the first",
        "claims/accounts.py",
        """        _check_pace(member, at)
        forget_old(at=at)
""",
        """        forget_old(at=at)
    _check_pace(member, at)
    with transaction.atomic():
""",
        _AT_ONCE + "pressing_at_once",
    ),
    Bug(
        "of many who begin at once none waits",
        "claims/accounts.py",
        """    # Of two at once the second counts the first.
    Member.objects.select_for_update(no_key=True).get(id=member.id)
""",
        "",
        _AT_ONCE + "pressing_at_once",
        "postgresql",
    ),
    Bug(
        "who closes the account shows what they were on the way to",
        "claims/accounts.py",
        "    _standing.check_staying(member)\n",
        "",
        _CLOSING + "signs_in",
    ),
    Bug(
        "who closes the account begins to show a place",
        "claims/proofs.py",
        "        _standing.check_staying(member)\n",
        "",
        _CLOSING + "begins",
    ),
    Bug(
        "a secret of one host goes to another",
        "config/_environment.py",
        "if place in found or (_GITHUB in (place, usual) and place != usual):",
        "if place in found:",
        _SITES + "said_at_the_start",
    ),
    Bug(
        "of two apps of a host one is silently another's",
        "config/_environment.py",
        "if place in found or (_GITHUB in",
        "if (_GITHUB in",
        _SITES + "said_at_the_start",
    ),
    Bug(
        "a host that is none is part of an id",
        "config/_environment.py",
        'r"(?!.*=.*:)([!-9;-~]{1,200})',
        'r"([!-9;-~]{1,200})',
        _SITES + "said_at_the_start",
    ),
    Bug(
        "a sign-in is offered where nobody can",
        "web/views/proving.py",
        '"can_again": again is not None and accounts.is_offered(again),',
        '"can_again": again is not None,',
        _JOURNEYS + "is_not_offered",
    ),
    Bug(
        "who went to sign in is remembered until somebody goes again",
        "ops/deeds.py",
        "    accounts.forget_old(at=at)\n",
        "",
        _TALKING + "are_forgotten",
    ),
    Bug(
        "a scope that a server takes is one that it knows",
        "claims/_sites.py",
        "    if scope != OLD_SCOPE and not (isinstance(said, list) and scope in said):\n",
        "    if scope != OLD_SCOPE and said is told:\n",
        _TALKING + "takes_a_scope",
    ),
    Bug(
        "nobody is told that an app is not known",
        "claims/_sites.py",
        'if (error := told.get("error")) in _OURS:',
        'if (error := told.get("error")) in ():',
        _SITES + "only_they_can_mend",
    ),
    Bug(
        "a name that begins with a line made nothing",
        "lib/_urls_makers.py",
        '_NAME = re.compile(r"[A-Za-z0-9_][',
        '_NAME = re.compile(r"[A-Za-z0-9][',
        _SITES + "begin_with_a_line",
    ),
    Bug(
        "an account's pages are looked for by its capitals",
        "things/_makers.py",
        "identity__istartswith=own",
        "identity__startswith=own",
        "tests/claims/test_accounts.py -k brings_what",
        "postgresql",
    ),
]
