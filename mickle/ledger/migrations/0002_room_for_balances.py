from django.db import migrations


def leave_room(apps, schema_editor):
    """A balance that changes stays on its page, and no index has to follow it."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE ledger_account SET (fillfactor = 50)")


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]
