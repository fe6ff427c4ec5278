"""Bugs of whose turn it is to be read, and for how long what was read is kept."""

from tests.seeded.bug import Bug

_TURNS = "tests/lib/test_fetch_turns.py -k "
_LATER = "tests/lib/test_fetch_later.py -k "
_NAMES = "tests/lib/test_fetch_names.py -k "

TURNS = [
    Bug(
        "who waited for a page reads it again",
        "lib/fetch.py",
        "# Whoever was here first has asked.\n            if (kept",
        "if there.url is None and (kept",
        _TURNS + "many_at_once",
    ),
    Bug(
        "a host is asked without a pause",
        "lib/_fetch_turns.py",
        "if wait > 0:",
        "if wait > 9:",
        _TURNS + "keep_the_gap",
    ),
    Bug(
        "two connections go to a host at once",
        "lib/_fetch_turns.py",
        'self._locked(f"host-{_digest(host)}",',
        'self._locked(f"host-{os.getpid()}",',
        _TURNS + "ten_thousand",
    ),
    Bug(
        "a lock without its file locks",
        "lib/_fetch_turns.py",
        "if os.fstat(held).st_ino == path.stat().st_ino:",
        "if held:",
        _TURNS + "taken_away",
    ),
    Bug(
        "a clock set back stops the fetcher",
        "lib/_fetch_turns.py",
        "wait = min(_read(held, _LAST) + gap_s - self._clock(), gap_s)",
        "wait = _read(held, _LAST) + gap_s - self._clock()",
        _TURNS + "set_back",
    ),
    Bug(
        "nobody hears what a host asks for",
        "lib/_fetch_turns.py",
        "if gap_s and (self._rests(own, _OWN)",
        "if not gap_s and (self._rests(own, _OWN)",
        _LATER + "left_alone",
    ),
    Bug(
        "a host's wish is tidied away",
        "lib/_fetch_turns.py",
        "            if not self._rests(held, _OWN) and self._may_hold_others(held):\n",
        "            if held:\n",
        _LATER + "outlives",
    ),
    Bug(
        "a host is left alone for as long as it likes",
        "lib/_fetch_later.py",
        "min(max(wait, 0.0), AT_MOST_S)",
        "max(wait, 0.0)",
        _LATER + "seconds_or",
    ),
    Bug(
        "a page is kept for an hour",
        "lib/_fetch_cache.py",
        "DAY_S = 86_400",
        "DAY_S = 3_600",
        _TURNS + "day_later",
    ),
    Bug(
        "a failure is not kept",
        "lib/fetch.py",
        "                answer = failed(error, at)",
        "                raise failed(error, at).or_raise()",
        _TURNS + "failure_is_kept",
    ),
    Bug(
        "a new look is the old one",
        "lib/_fetch_cache.py",
        "if found is None or (fresh_after is not None and found.fetched_at < fresh_after):",
        "if found is None or (fresh_after is not None and found.at < 0):",
        _TURNS + "new_look_is_had",
    ),
    Bug(
        "what is kept grows without a limit",
        "lib/_fetch_cache.py",
        "if count > self._files or size > self._bytes:",
        "if count > self._files:",
        _TURNS + "few_and_small",
    ),
    Bug(
        "robots.txt is asked of the first address only",
        "lib/fetch.py",
        "if crawl:",
        "if crawl and not hops:",
        _TURNS + "robots_txt_decides",
    ),
    Bug(
        "one resolver is enough for a proof",
        "lib/_fetch_names.py",
        "if all(text in other for other in said[1:])",
        "if text",
        _NAMES + "agree_on",
    ),
    Bug(
        "a resolver that fails has said that there is nothing",
        "lib/_fetch_names.py",
        '            raise failure("dns", host=name) from None\n    return',
        "            said.append([])\n    return",
        _NAMES + "resolver_that_fails",
    ),
    Bug(
        "who has a page at a host holds all others as long as they like",
        "lib/_fetch_turns.py",
        "now + min(seconds, OTHERS_S)",
        "now + seconds",
        _LATER + "once_an_hour",
    ),
    Bug(
        "who has a page at a host holds all others again and again",
        "lib/_fetch_turns.py",
        "            if self._may_hold_others(held):\n",
        "            if held:\n",
        _LATER + "once_an_hour",
    ),
    Bug(
        "a host of many is heard as one",
        "lib/shared_hosts.py",
        "return tenant(host, path) or host + path",
        "return host",
        _LATER + "once_an_hour",
    ),
    Bug(
        "one party's wish is forgotten with the hold of the others",
        "lib/_fetch_turns.py",
        "if speaker != host:",
        'if speaker == "":',
        _LATER + "once_an_hour",
    ),
    Bug(
        "how long others were held is tidied away",
        "lib/_fetch_turns.py",
        "if not self._rests(held, _OWN) and self._may_hold_others(held):",
        "if not self._rests(held, _OWN):",
        _LATER + "once_an_hour",
    ),
]
