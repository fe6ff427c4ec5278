from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('nods', '0002_evidence'),
    ]

    operations = [
        migrations.AddField(
            model_name='nod',
            name='weight',
            field=models.SmallIntegerField(db_default=1),
        ),
        migrations.AddConstraint(
            model_name='nod',
            constraint=models.CheckConstraint(condition=models.Q(('weight__gte', 1), ('weight__lte', 100)), name='nod_weight_in_range'),
        ),
    ]
