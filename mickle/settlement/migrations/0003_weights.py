from django.db import migrations, models


class Migration(migrations.Migration):
    """Splits made before there were weights are those of weight 1 each."""

    dependencies = [
        ('nods', '0003_weight'),
        ('settlement', '0002_stages'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='split',
            name='split_adds_up',
        ),
        migrations.RenameField(
            model_name='split',
            old_name='last_thing',
            new_name='cut_thing',
        ),
        migrations.AddField(
            model_name='split',
            name='total_weight',
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='split',
            name='cut_remainder',
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.RunSQL(
            'UPDATE settlement_split SET total_weight = n, cut_remainder = rem',
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name='split',
            constraint=models.CheckConstraint(condition=models.Q(('n__gt', 0), ('n__lte', models.F('total_weight')), ('slice_micros__gte', 0), ('rem__gte', 0), ('rem__lt', models.F('total_weight')), ('cut_remainder__gte', 0), ('cut_remainder__lt', models.F('total_weight'))), name='split_adds_up'),
        ),
    ]
