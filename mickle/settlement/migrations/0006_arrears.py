import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('settlement', '0005_archive'),
        ('things', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='arrears',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name='Charge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.IntegerField()),
                ('amount_micros', models.BigIntegerField()),
                ('state', models.CharField(choices=[('ASKED', 'Asked'), ('PAID', 'Paid'), ('DROPPED', 'Dropped')], max_length=7)),
                ('tries', models.IntegerField(default=1)),
                ('try_at', models.DateTimeField()),
                ('asked_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('member', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='charges', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [
                    models.Index(fields=['state', 'try_at'], name='charge_state_try'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('member', 'month'), name='charge_one_per_month'),
                    models.CheckConstraint(condition=models.Q(('amount_micros__gt', 0), ('amount_micros__lte', 1000000000000000)), name='charge_amount_in_range'),
                    models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('state', 'ASKED')), models.Q(('decided_at__isnull', False), ('state__in', ['PAID', 'DROPPED'])), _connector='OR'), name='charge_decided_once'),
                    models.CheckConstraint(condition=models.Q(('tries__gte', 1)), name='charge_tried'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Due',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.IntegerField()),
                ('amount_micros', models.BigIntegerField()),
                ('billed', models.IntegerField()),
                ('charge', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='dues', to='settlement.charge')),
                ('member', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='dues', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='owed', to=settings.AUTH_USER_MODEL)),
                ('thing', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='dues', to='things.thing')),
            ],
            options={
                'indexes': [
                    models.Index(condition=models.Q(('charge', None)), fields=['member'], name='due_carried_on'),
                ],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('thing', None)), fields=('member', 'month'), name='due_one_split'),
                    models.UniqueConstraint(condition=models.Q(('thing__isnull', False)), fields=('member', 'month', 'thing'), name='due_one_share'),
                    models.CheckConstraint(condition=models.Q(('amount_micros__gt', 0), ('amount_micros__lte', 1000000000000000)), name='due_amount_in_range'),
                    models.CheckConstraint(condition=models.Q(models.Q(('billed', models.F('month')), ('owner', None), ('thing', None)), models.Q(('billed__gt', models.F('month')), ('owner__isnull', False), ('thing__isnull', False)), _connector='OR'), name='due_share_has_owner'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Received',
            fields=[
                ('pk', models.CompositePrimaryKey('month', 'thing_id', 'owner_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('month', models.IntegerField()),
                ('nods', models.BigIntegerField()),
                ('gross_micros', models.BigIntegerField()),
                ('fee_micros', models.BigIntegerField()),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='received', to=settings.AUTH_USER_MODEL)),
                ('thing', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='received', to='things.thing')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('fee_micros__gte', 0), ('gross_micros__gt', 0), ('nods__gt', 0), ('fee_micros__lte', models.F('gross_micros'))), name='received_fee_within_gross'),
                ],
            },
        ),
    ]
