"""Names the makers of the things that are there."""

from typing import Any

from django.db import migrations

from mickle.lib import urls

AT_ONCE = 1_000
CHARACTERS = 300


def name(apps: Any, _editor: Any) -> None:
    """Write the maker of each thing whose address says so surely."""
    things = apps.get_model("things", "Thing").objects.order_by("id")
    last = 0
    while rows := list(things.filter(id__gt=last).only("identity")[:AT_ONCE]):
        last = rows[-1].id
        for row in rows:
            made = urls.maker(row.identity)
            row.maker = f"{made.site}:{made.name}" if made is not None else ""
        named = [row for row in rows if 0 < len(row.maker) <= CHARACTERS]
        things.bulk_update(named, ["maker"])


class Migration(migrations.Migration):

    dependencies = [
        ("things", "0003_handles"),
    ]

    operations = [
        migrations.RunPython(name, migrations.RunPython.noop),
    ]
