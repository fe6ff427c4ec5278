from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notices', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='notice',
            name='notice_kind_known',
        ),
        migrations.RemoveConstraint(
            model_name='round',
            name='round_kind_known',
        ),
        migrations.AlterField(
            model_name='notice',
            name='kind',
            field=models.CharField(choices=[('IDLE_30', 'Idle 30'), ('IDLE_7', 'Idle 7'), ('REMINDER', 'Reminder'), ('CLOSE', 'Close'), ('STATEMENT', 'Statement'), ('CHARGE', 'Charge'), ('CHARGE_2', 'Charge 2'), ('CHARGE_3', 'Charge 3')], max_length=9),
        ),
        migrations.AlterField(
            model_name='round',
            name='kind',
            field=models.CharField(choices=[('IDLE_30', 'Idle 30'), ('IDLE_7', 'Idle 7'), ('REMINDER', 'Reminder'), ('CLOSE', 'Close'), ('STATEMENT', 'Statement'), ('CHARGE', 'Charge'), ('CHARGE_2', 'Charge 2'), ('CHARGE_3', 'Charge 3')], max_length=9),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['IDLE_30', 'IDLE_7', 'REMINDER', 'CLOSE', 'STATEMENT', 'CHARGE', 'CHARGE_2', 'CHARGE_3'])), name='notice_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['IDLE_30', 'IDLE_7', 'REMINDER', 'CLOSE', 'STATEMENT', 'CHARGE', 'CHARGE_2', 'CHARGE_3'])), name='round_kind_known'),
        ),
    ]
