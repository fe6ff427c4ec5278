"""Bugs of what follows a settlement, of clocks that are set back, and of archives."""

from tests.seeded.bug import Bug

_ARREARS = "tests/settlement/test_arrears.py -k "
_MAILS = "tests/journeys/test_arrears.py -k "
_ARCHIVES = "tests/settlement/test_archive.py -k "

CLOCKWORK = [
    Bug(
        "what was carried on stays owed where members top up first again",
        "settlement/settlement.py",
        "asking = _dues.ask if run.arrears else _dues.drop_carried_on",
        "asking = _dues.ask if run.arrears else (lambda **_all: 0)",
        _ARREARS + "top_up_first_again",
    ),
    Bug(
        "what was carried on is charged where members top up first again",
        "settlement/_dues.py",
        "least=LIMIT_MICROS + 1, later=0)",
        "least=1, later=0)",
        _ARREARS + "top_up_first_again",
    ),
    Bug(
        "who gives up what a settlement may charge is told that nothing waits",
        "settlement/_charges.py",
        "            raise NotWaiting(\n",
        "            return False\n            raise NotWaiting(\n",
        _ARREARS + "given_up",
    ),
    Bug(
        "what was put off counts as given in the mail",
        "notices/_texts.py",
        "put_off = _LATER if gave.arrears else ()",
        "put_off: tuple[str, ...] = ()",
        _MAILS + "three_times",
    ),
    Bug(
        "a clock that was set back puts jobs off",
        "jobs/jobs.py",
        "row.asked_at <= at < row.asked_at + rests",
        "at < row.asked_at + rests",
        "tests/jobs/test_jobs.py -k set_back",
    ),
    Bug(
        "a clock that was set back stops mails",
        "notices/_send.py",
        ", tried_at__lt=at + _MINUTE)",
        ")",
        "tests/notices/test_sending.py -k set_back",
    ),
    Bug(
        "of two archives of a month one is left to nobody",
        "settlement/_archive.py",
        "        files.discard(folder)\n        return check(month=run.month)\n",
        "        return check(month=run.month)\n",
        _ARCHIVES + "two_who_archive",
    ),
    Bug(
        "another archive is written where nods have left",
        "settlement/_archive.py",
        "            return check(month=month)\n        _check_all_here(month)\n",
        "            return check(month=month)\n",
        "tests/settlement/test_archive_anew.py -k have_left",
    ),
    Bug(
        "another archive counts though nods left while it was written",
        "settlement/_archive.py",
        "        _check_all_here(row.month)\n",
        "",
        "tests/settlement/test_archive_anew.py -k while_it_is_written",
    ),
    Bug(
        "an archive is taken for another however it is called by now",
        "settlement/_archive.py",
        "filter(month=row.month, folder=instead_of.folder).update",
        "filter(month=row.month).update",
        "tests/settlement/test_archive_anew.py -k of_two",
    ),
    Bug(
        "an archive counts before it is on the disk",
        "settlement/_archive.py",
        "            files.keep(folder)\n",
        "",
        _ARCHIVES + "power_cut",
    ),
    Bug(
        "an engine that is not there is nobody's business",
        "settlement/_at_hand.py",
        "class NoEngine(NeedsAPerson):",
        "class NoEngine(__import__('mickle.lib.errors').lib.errors.Refused):",
        "tests/ops/test_deeds.py -k shows_to_be_wrong",
    ),
    Bug(
        "a timer hears of nothing",
        "ops/working.py",
        "return sorted(self._unasked | jobs.failing())",
        "return sorted(self._unasked & jobs.failing())",
        "tests/ops/test_deeds.py -k timer_hears",
    ),
    Bug(
        "what a store raises of its own ends an archive with a traceback",
        "settlement/_others.py",
        "        if whose in _OURS and not isinstance(error, OSError):\n            raise\n",
        "        if not isinstance(error, OSError):\n            raise\n",
        _ARCHIVES + "lets_nobody_in",
    ),
    Bug(
        "what cannot be removed hides what went wrong",
        "lib/files.py",
        "    except Exception as error:  # noqa: BLE001 - an object store raises what it likes",
        "    except OSError as error:",
        _ARCHIVES + "lets_nobody_in",
    ),
    Bug(
        "an engine that fails on the way is a traceback",
        "settlement/_engine.py",
        "        with failed, opened(inputs(month, basis_points)) as engine:",
        "        with opened(inputs(month, basis_points)) as engine:",
        "tests/settlement/test_engines.py -k fails_on_the_way",
    ),
]
