from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('nods', '0003_weight'),
        ('things', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='nod',
            name='nod_void_known',
        ),
        migrations.AddIndex(
            model_name='nod',
            index=models.Index(condition=models.Q(('void', 'LATER')), fields=['thing', 'month'], name='nod_charged_later'),
        ),
        migrations.AddConstraint(
            model_name='nod',
            constraint=models.CheckConstraint(condition=models.Q(('void__in', ['', 'OWN', 'REFUSED', 'TAKEN_DOWN', 'MERGED', 'LATER'])), name='nod_void_known'),
        ),
    ]
