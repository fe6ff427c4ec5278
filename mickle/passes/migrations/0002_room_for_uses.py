from django.db import migrations


def leave_room(apps, schema_editor):
    """A pass that is used stays on its page, and none of its six indexes has to follow it."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE passes_sitepass SET (fillfactor = 50)")


class Migration(migrations.Migration):

    dependencies = [
        ('passes', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]
