"""Bugs of programs and their tokens."""

from tests.seeded.bug import Bug

PROGRAMS = [
    Bug(
        "a token that was taken back still nods",
        "programs/programs.py",
        """    deleted, _by_table = Program.objects.filter(member=member, id=program_id).delete()
    return bool(deleted)
""",
        """    return Program.objects.filter(member=member, id=program_id).exists()
""",
        "tests/api/test_refusals.py -k taken_back",
    ),
    Bug(
        "anybody takes the token of anybody back",
        "programs/programs.py",
        "Program.objects.filter(member=member, id=program_id)",
        "Program.objects.filter(id=program_id)",
        "tests/programs -k only_ones_own",
    ),
    Bug(
        "the token itself is kept",
        "programs/programs.py",
        "name=called, token_hash=secret.hashed(token)",
        'name=called, token_hash=token.removeprefix("mickle_")',
        "tests/programs -k stands_nowhere",
    ),
    Bug(
        "the table takes a token",
        "programs/migrations/0001_initial.py",
        "models.Q(('token_hash__startswith', 'mickle_'), _negated=True)",
        "models.Q(('token_hash__startswith', 'other_'), _negated=True)",
        "tests/programs -k table_takes_no_token",
    ),
    Bug(
        "who is suspended nods by a program",
        "programs/programs.py",
        "if row.member.suspended_at is not None:",
        "if row.member.closed_at is not None:",
        "tests/api/test_refusals.py -k suspended",
    ),
    Bug(
        "the tokens outlive the account",
        "closing/closing.py",
        "    programs.revoke_all(member=member)\n",
        "",
        "tests/api/test_refusals.py -k takes_the_tokens_along",
    ),
    Bug(
        "a session is enough at the API",
        "api/_asking.py",
        "    if given is None:\n",
        """    from django.contrib.auth import get_user
    from django.contrib.sessions.backends.db import SessionStore
    from django.http.cookie import parse_cookie
    cookies = parse_cookie(request.META.get("HTTP_COOKIE", ""))
    request.session = SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
    if given is None and get_user(request).is_authenticated:
        return Asked(request, Program(member=get_user(request)), at)
    if given is None:
""",
        "tests/api/test_refusals.py -k anything_but_a_token",
    ),
    Bug(
        "a token may stand in an address",
        "api/api.py",
        "    _asking.no_token_in_the_address(request)\n",
        "",
        "tests/api/test_refusals.py -k token_in_an_address",
    ),
    Bug(
        "a token stands in the log",
        "config/_lines.py",
        "secret.without(super().format(record))",
        "super().format(record)",
        "tests/api/test_refusals.py -k token_in_an_address",
    ),
    Bug(
        "a form is read as well as JSON",
        "api/_asking.py",
        'if request.content_type != "application/json":',
        'if request.content_type == "multipart/form-data":',
        "tests/api/test_refusals.py -k only_json",
    ),
    Bug(
        "a page is called as a program says",
        "api/_calls.py",
        "things.find_or_add(url=address, at=asked.at, added_by=asked.member)",
        "things.find_or_add(\n"
        '        url=address, at=asked.at, added_by=asked.member, title=found.get("title") or ""\n'
        "    )",
        "tests/api/test_calls.py -k not_called",
    ),
    Bug(
        "a key of a program stands for any page",
        "api/_asking.py",
        "{program.pk} {urls.identify(address).identity} {given}",
        "{program.pk} {given}",
        "tests/api/test_calls.py -k asked_again_with_its_key",
    ),
    Bug(
        "a key of a program stands for another's nod",
        "api/_asking.py",
        "{program.pk} {urls.identify(address).identity} {given}",
        "{urls.identify(address).identity} {given}",
        "tests/api/test_calls.py -k asked_again_with_its_key",
    ),
    Bug(
        "nobody is asked to wait",
        "api/_asking.py",
        "    limit(settings.API_REQUESTS_AN_HOUR).take(program.member_id)\n",
        "",
        "tests/api/test_refusals.py -k too_often",
    ),
    Bug(
        "each program of a member has the whole limit",
        "api/_asking.py",
        ".take(program.member_id)",
        ".take(program.id)",
        "tests/api/test_refusals.py -k too_often",
    ),
    Bug(
        "what two gave waits for all to see",
        "settlement/_statements.py",
        "if _waiting.waiting_givers(thing) >= GIVERS_SHOWN else None",
        "if _waiting.waiting_givers(thing) else None",
        "tests/api/test_calls.py -k from_three_givers",
    ),
    Bug(
        "a token is kept in the session to be told after a redirect",
        "web/views/programs.py",
        "    return _page(request, ProgramForm(), token)\n",
        """    request.session["token"] = token
    return _page(request, ProgramForm(), token)
""",
        "tests/journeys/test_programs.py -k told_once",
    ),
    Bug(
        "an empty month takes a nod of the open one back",
        "api/_calls.py",
        'if "month" in asked.request.GET else None',
        'if asked.query("month") else None',
        "tests/api/test_calls.py -k a_month_that_is_none",
    ),
    Bug(
        "a cookie says in which language a program is answered",
        "api/api.py",
        "        request.COOKIES = {}\n",
        "",
        "tests/api/test_calls.py -k language_that_is_asked",
    ),
    Bug(
        "a Content-Type names the letters in which an address is read",
        "config/asgi.py",
        '_in_utf_8(value) if name == b"content-type" else value',
        "value",
        "tests/edge/test_dispatcher.py -k whatever_the_sender_calls_it",
    ),
    Bug(
        "a token in an address hides behind percent signs",
        "api/_asking.py",
        """unquote(f"{request.path_info}?{request.META.get('QUERY_STRING', '')}")""",
        """unquote(request.path_info) + request.META.get("QUERY_STRING", "")""",
        "tests/api/test_refusals.py -k token_in_an_address",
    ),
    Bug(
        "what is refused unread is refused in no language but English",
        "api/api.py",
        'request.META["HTTP_ACCEPT_LANGUAGE"] = languages',
        'request.META["HTTP_ACCEPT_LANGUAGE"] = ""',
        "tests/edge/test_dispatcher.py -k in_its_language",
    ),
    Bug(
        "a key is asked for at what its page was merged into",
        "api/_calls.py",
        "_asking.key_of(called, asked.program, address)",
        "_asking.key_of(called, asked.program, thing.url)",
        "tests/api/test_calls.py -k merged_since",
    ),
    Bug(
        "a repeat is said to be of the month that began meanwhile",
        "nods/nods.py",
        """        month = written[0] if written is not None else _month_of_repeat(member, key, at)
    if written is None:
        _not_leaving(member)
""",
        """    if written is None:
        _not_leaving(member)
    month = written[0] if written is not None else _month_of_repeat(member, key, at)
""",
        "tests/nods/test_give.py -k closes_meanwhile",
    ),
    Bug(
        "a nod that stays as its month closes is said to be none",
        "nods/nods.py",
        "if not taken and wanted < max(open_month, instance.here().closed_through + 1):",
        "if not taken and wanted < open_month:",
        "tests/nods/test_give.py -k closes_as_it_is_taken_back",
    ),
    Bug(
        "a burst is refused its last request at some hours",
        "lib/buckets.py",
        "self._slack_s = self._cost_s / 1000",
        "self._slack_s = 0.0",
        "tests/lib/test_buckets.py -k all_it_holds",
    ),
]
