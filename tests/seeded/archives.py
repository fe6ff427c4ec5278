"""Bugs of archives: what is read of them, and what comes and goes meanwhile."""

from tests.seeded.bug import Bug

_ARCHIVE, _TROUBLE = (
    "tests/settlement/test_archive.py -k ",
    "tests/settlement/test_past_trouble.py ",
)
_NOT_SHOWN = _TROUBLE + "-k not_shown"

ARCHIVES = [
    Bug(
        "a folder of an archive is taken for a column",
        "settlement/_duckdb.py",
        ", hive_partitioning = false)",
        ")",
        _ARCHIVE + "named_like_a_column",
    ),
    Bug(
        "the audit asks for each line which months have left",
        "settlement/_audit.py",
        "SELECT DISTINCT month FROM nods_past",
        "SELECT month FROM nods_past",
        _TROUBLE + "-k asks_once",
        "postgresql",
    ),
    Bug(
        "nods of another month are a member's",
        "settlement/_archive.py",
        " AND month = {row.month:d}",
        "",
        _NOT_SHOWN,
    ),
    Bug(
        "fewer nods than left are all of them",
        "settlement/_archive.py",
        "    if dict(Counter(nod[0] for nod in theirs)) != dict(left):\n",
        "    if not left:\n",
        _NOT_SHOWN,
    ),
    Bug(
        "an archive names pages that are none",
        "settlement/_past.py",
        "    if Thing.objects.filter(id__in=ids).count() != len(ids):\n",
        "    if not ids:\n",
        _NOT_SHOWN,
    ),
    Bug(
        "an archive says when that no clock says",
        "settlement/_archive.py",
        "TIMESTAMP '0001-01-02' AND TIMESTAMP '9999-12-30'",
        "TIMESTAMP '-infinity' AND TIMESTAMP 'infinity'",
        _NOT_SHOWN,
    ),
    Bug(
        "a damage that is no text is something unforeseen",
        "settlement/_archive.py",
        "        except ValueError as error:\n",
        "        except ZeroDivisionError as error:\n",
        _TROUBLE + "-k in_letters",
    ),
    Bug(
        "a proof of what an archive made up is something unforeseen",
        "settlement/_proof.py",
        "        if Past.objects.filter(month=month, member=member).exists():\n",
        "        if not Past.objects.exists():\n",
        _TROUBLE + "-k no_proof",
    ),
    Bug(
        "nods that come back between two looks are nowhere",
        "settlement/_nodded.py",
        " or _left(member, month) or _here(member, month)",
        " or _left(member, month)",
        _TROUBLE + "-k between_two_looks",
    ),
    Bug(
        "a list misses nods that come back between two looks",
        "web/views/giving.py",
        " or past.nods_of(member=member, month=month) or nods.of_month(member, month)",
        " or past.nods_of(member=member, month=month)",
        _TROUBLE + "-k between_two_looks",
    ),
    Bug(
        "a proof misses nods that come back between two looks",
        "settlement/_hashing.py",
        "            shares = _taken(here, addresses)\n        addresses.learn",
        "            pass\n        addresses.learn",
        _TROUBLE + "-k between_two_looks",
    ),
    Bug(
        "an archive the books did not take leaves its files",
        "settlement/_archive.py",
        "            files.discard(row.folder)\n",
        "            pass\n",
        _ARCHIVE + "do_not_take",
    ),
    Bug(
        "an archive the books may have taken loses its files",
        "settlement/_archive.py",
        "        if not mine.exists():\n            files.discard(row.folder)\n",
        "        files.discard(row.folder)\n",
        _ARCHIVE + "do_not_take",
    ),
    Bug(
        "what comes back meanwhile is counted twice",
        "settlement/_leaving.py",
        """cursor.execute(_THERE_AND_GONE, {"month": month})
        (there,) = cursor.fetchone()
""",
        """cursor.execute("SELECT SUM(nods) FROM nods_past WHERE month = %s", [month])
        there = (cursor.fetchone()[0] or 0) + Nod.objects.filter(month=month).count()
""",
        _TROUBLE + "-k put_nods_back_at_once",
    ),
    Bug(
        "a currency may rule a terminal",
        "lib/proofs.py",
        '"currency": r"[A-Z]{3}",',
        '"currency": r"\\S{1,12}",',
        "tests/ops/test_verify.py -k rules_no_terminal",
    ),
    Bug(
        "a store that nothing reads is asked for again every minute",
        "lib/files.py",
        "class NoStore(NeedsAPerson):",
        "class NoStore(NeedsAPerson.__mro__[1]):",
        "tests/ops/test_deeds.py -k shows_to_be_wrong",
    ),
]
