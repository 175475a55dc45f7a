import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import workflows.fields
import workflows.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('workflows', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='WorkerLease',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('hostname', models.CharField(max_length=255)),
                ('pid', models.IntegerField()),
                ('lanes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), default=list, size=None)),
                ('started_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Execution',
            fields=[
                ('id', models.UUIDField(default=workflows.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('pending', 'pending'), ('running', 'running'), ('paused', 'paused'), ('completed', 'completed'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='pending', max_length=16)),
                ('trigger', models.CharField(default='api', max_length=16)),
                ('entry', models.CharField(max_length=128)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None)),
                ('inputs', workflows.fields.PlainJSONField(default=dict)),
                ('outputs', workflows.fields.PlainJSONField(null=True)),
                ('error', workflows.fields.PlainJSONField(null=True)),
                ('drive_failures', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('started_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='workflows.workflowversion')),
                ('workflow', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='executions', to='workflows.workflow')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workflows.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='ExecutionState',
            fields=[
                ('execution', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='state', serialize=False, to='executions.execution')),
                ('ver', models.BigIntegerField(default=0)),
                ('seq', models.BigIntegerField(default=0)),
                ('state', workflows.fields.PlainJSONField(null=True)),
                ('folded_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='NodeRun',
            fields=[
                ('id', models.UUIDField(default=workflows.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('node_id', models.CharField(max_length=128)),
                ('scope', models.CharField(blank=True, default='', max_length=512)),
                ('node_type', models.CharField(max_length=64)),
                ('lane', models.CharField(max_length=8)),
                ('status', models.CharField(choices=[('pending', 'pending'), ('ready', 'ready'), ('running', 'running'), ('waiting', 'waiting'), ('completed', 'completed'), ('failed', 'failed'), ('skipped', 'skipped'), ('cancelled', 'cancelled')], max_length=16)),
                ('attempt', models.PositiveSmallIntegerField(default=1)),
                ('lost', models.PositiveSmallIntegerField(default=0)),
                ('owner', models.BigIntegerField(null=True)),
                ('folded', models.BooleanField(default=False)),
                ('announced', models.BooleanField(default=False)),
                ('handled', models.BooleanField(default=False)),
                ('input', workflows.fields.PlainJSONField(null=True)),
                ('output', workflows.fields.PlainJSONField(null=True)),
                ('error', workflows.fields.PlainJSONField(null=True)),
                ('port', models.TextField(null=True)),
                ('writes', workflows.fields.PlainJSONField(null=True)),
                ('usage', workflows.fields.PlainJSONField(null=True)),
                ('logs', workflows.fields.PlainJSONField(null=True)),
                ('ready_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('execution', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='node_runs', to='executions.execution')),
            ],
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('pk', models.CompositePrimaryKey('execution_id', 'seq', blank=True, editable=False, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField()),
                ('type', models.CharField(max_length=32)),
                ('node_id', models.CharField(max_length=128, null=True)),
                ('scope', models.CharField(default='', max_length=512)),
                ('data', workflows.fields.PlainJSONField()),
                ('at', models.DateTimeField()),
                ('execution', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='executions.execution')),
            ],
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(fields=['workspace', '-created_at'], name='execution_list'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(fields=['workflow', '-created_at'], name='execution_by_workflow'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=models.Index(condition=models.Q(('status__in', ['pending', 'running', 'paused'])), fields=['created_at'], name='execution_live'),
        ),
        migrations.AddIndex(
            model_name='execution',
            index=django.contrib.postgres.indexes.GinIndex(fields=['tags'], name='execution_tags'),
        ),
        migrations.AddConstraint(
            model_name='execution',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled'])), name='execution_status'),
        ),
        migrations.AddConstraint(
            model_name='execution',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'running', 'paused']), ('ended_at__isnull', False), _connector='OR'), name='execution_final_has_end'),
        ),
        migrations.AddIndex(
            model_name='noderun',
            index=models.Index(condition=models.Q(('folded', False)), fields=['execution', 'status'], name='noderun_live'),
        ),
        migrations.AddConstraint(
            model_name='noderun',
            constraint=models.UniqueConstraint(fields=('execution', 'node_id', 'scope'), name='noderun_once'),
        ),
        migrations.AddConstraint(
            model_name='noderun',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'ready', 'running', 'waiting', 'completed', 'failed', 'skipped', 'cancelled'])), name='noderun_status'),
        ),
    ]
