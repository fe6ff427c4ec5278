from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0003_accounts'),
    ]

    operations = [
        migrations.RenameField(
            model_name='proof',
            old_name='account_since_at',
            new_name='since_at',
        ),
    ]
