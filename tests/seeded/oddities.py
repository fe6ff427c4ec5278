"""Bugs of what is shown by others' words, and of what somebody odd sends."""

from tests.seeded.bug import Bug

_LOOKING = "claims/_looking.py"
_BOUNDS = "tests/claims/test_bounds.py -k "
_ENDS = "tests/lib/test_reading_ends.py -k "
_ROUTES = "tests/web/test_routes.py -k "

_SHOWN = [
    Bug(
        "the button of another page shows whose this one is",
        _LOOKING,
        'return named and [wanted.proof.text] == [_place_of(one) for one in asked.get_all("url")]',
        "return named",
        "tests/claims/test_street.py",
    ),
    Bug(
        "a page that anybody may write is a file of lines",
        _LOOKING,
        "if _TAG in page.text:",
        "if not page.text:",
        _BOUNDS + "no_page_that_anybody",
    ),
    Bug(
        "a head ends where its page says so",
        "lib/_reading_page.py",
        "self._in_head and tag in _OF_HEAD",
        'self._in_head and tag != "body"',
        _ENDS + "though_nobody_says_so",
    ),
    Bug(
        "an entry ends with whatever is called so within it",
        "lib/_reading_feed.py",
        "if not self._depth:",
        "if self._depth >= 0:",
        _ENDS + "whatever_it_calls",
    ),
    Bug(
        "what lies deep below a place is its host's",
        "things/models.py",
        "SCOPE_SEGMENTS = 100",
        "SCOPE_SEGMENTS = 8",
        _BOUNDS + "however_deep",
    ),
    Bug(
        "a commit is a repository",
        "claims/proofs.py",
        "whole = deep == _REPOSITORY_PARTS or (deep > _REPOSITORY_PARTS"
        ' and place.host == "gitlab.com")',
        "whole = deep >= _REPOSITORY_PARTS",
        _BOUNDS + "a_commit",
    ),
    Bug(
        "looks go to as many new hosts as somebody likes",
        "claims/proofs.py",
        "        _standing.check_pace(member, place.host, at)\n",
        "",
        _BOUNDS + "ten_new_hosts",
    ),
    Bug(
        "one file that nobody can read keeps all proofs back",
        "claims/proofs.py",
        "    except Exception as error:  # noqa: BLE001",
        "    except fetch.Unasked as error:  # noqa: BLE001",
        _BOUNDS + "nobody_can_read",
    ),
    Bug(
        "one person's nods drive all others out of trending",
        "discovery/_ranking.py",
        "if len(rows) < _NODS_READ or not many:",
        "if True:",
        "tests/discovery/test_catalogue.py -k drives",
    ),
]
_ODD = [
    Bug(
        "a transfer is shown that does not fit into the funds",
        "web/forms.py",
        "if amount > self.room:",
        "if amount > settings.FUNDS_MAX_MICROS:",
        "tests/journeys/test_giving.py -k would_not_fit",
    ),
    Bug(
        "a name turns round the words beside it",
        "members/_texts.py",
        'shown = _TURNS.sub("", text)',
        "shown = text",
        "tests/members/test_members.py -k turns_no_words",
    ),
    Bug(
        "who has left still waits for a place",
        "members/members.py",
        "    WaitingPerson.objects.filter(email=member.email).delete()\n",
        "",
        "tests/closing/test_close.py",
    ),
    Bug(
        "the waiting list takes whatever comes",
        "web/views/front.py",
        "if too_many is not None:",
        "if too_many is request:",
        "tests/journeys/test_signing_in.py -k waiting_list",
    ),
    Bug(
        "who presses a button signed out lands where no page is",
        "web/access.py",
        'redirect_to_login(paths.before(request) or reverse("dashboard"))',
        "redirect_to_login(request.path)",
        _ROUTES + "signed_out",
    ),
    Bug(
        "a number that fits into no key is looked up",
        "web/paths.py",
        'regex = r"[0-9]{1,18}"',
        'regex = r"[0-9]+"',
        _ROUTES + "fits_into_no_key",
    ),
    Bug(
        "what is refused unread may be framed and kept",
        "config/asgi.py",
        "dict(_GUARDS)",
        "dict(_GUARDS[:1])",
        "tests/edge/test_dispatcher.py -k headers_of_all",
    ),
    Bug(
        "what was taken down is paid to whoever claims it",
        "settlement/_waiting.py",
        "        if row.owner is None or row.state == Thing.State.TAKEN_DOWN:\n",
        "        if row.owner is None:\n",
        "tests/settlement/test_waiting_cases.py -k taken_down",
    ),
    Bug(
        "what was taken down is asked for again and again",
        "settlement/_waiting.py",
        ".exclude(state=Thing.State.TAKEN_DOWN)\n",
        "\n",
        "tests/settlement/test_waiting_cases.py -k taken_down",
    ),
]
ODDITIES = [*_SHOWN, *_ODD]
