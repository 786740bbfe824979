-- breaking: no
-- Functions that run with their owner's rights see every row: they must look at the tenant of this
-- transaction (queue.act_as) themselves. What another tenant has does not exist for it. And what a
-- person does through them is recorded. Each gets a first line; their bodies stay as they are.

-- The tenant to work for: the transaction's where it has one.
CREATE FUNCTION queue.own_tenant(asked uuid) RETURNS uuid
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    own uuid := queue.current_tenant();
BEGIN
    IF own IS NULL OR asked = own THEN
        RETURN asked;
    END IF;
    IF asked IS NOT NULL THEN
        RAISE EXCEPTION 'no tenant %', asked USING ERRCODE = 'LQ005';
    END IF;
    RETURN own;
END
$$;

-- Those of the jobs that this transaction may touch, in the order given.
CREATE FUNCTION queue.own_jobs(job_ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    own uuid := queue.current_tenant();
BEGIN
    IF own IS NULL THEN
        RETURN job_ids;
    END IF;
    -- A dead letter or a copy in an archive may be all that is left of a job.
    RETURN ARRAY(
        SELECT u.id FROM unnest(job_ids) WITH ORDINALITY u (id, place)
        WHERE EXISTS (SELECT FROM queue.job j WHERE j.id = u.id AND j.tenant_id = own OFFSET 0)
           OR EXISTS (SELECT FROM queue.dead_letter d
                      WHERE d.job_id = u.id AND d.tenant_id = own OFFSET 0)
        ORDER BY u.place);
END
$$;

CREATE FUNCTION queue.check_job(job_id bigint) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF current_setting('queue.tenant', true) <> ''
       AND cardinality(queue.own_jobs(ARRAY[job_id])) = 0 THEN
        PERFORM queue.no_such_job(job_id);
    END IF;
END
$$;

CREATE FUNCTION queue.check_batch(batch_id bigint) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF current_setting('queue.tenant', true) <> ''
       AND NOT EXISTS (SELECT FROM queue.batch b
                       WHERE b.id = batch_id AND b.tenant_id = queue.current_tenant()) THEN
        PERFORM queue.no_such_batch(batch_id);
    END IF;
END
$$;

CREATE FUNCTION queue.is_own_subscription(id bigint) RETURNS boolean
LANGUAGE sql STABLE
AS $$
SELECT queue.current_tenant() IS NULL
    OR EXISTS (SELECT FROM queue.subscription s
               WHERE s.id = is_own_subscription.id AND s.tenant_id = queue.current_tenant())
$$;

CREATE FUNCTION queue.current_actor() RETURNS text
LANGUAGE sql STABLE
AS $$
SELECT coalesce(nullif(current_setting('queue.actor', true), ''), session_user)
$$;

-- Of a batch of jobs, for the audit: all of them as far as they are few.
CREATE FUNCTION queue.ids_detail(ids bigint[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
SELECT jsonb_build_object('count', cardinality(ids), 'ids', to_jsonb(ids[1:500]))
$$;

-- Puts a line at the beginning of a function's body, whatever its signature grew to. For
-- migrations; a name stands for all functions of that name.
CREATE FUNCTION queue.guard(function_name text, line text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    f record;
    begins constant text := E'\nBEGIN\n';
    place integer;
BEGIN
    FOR f IN
        SELECT p.oid, p.prosrc, pg_get_functiondef(p.oid) AS definition
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
        WHERE format('%s.%s', n.nspname, p.proname) = function_name
    LOOP
        place := strpos(f.definition, begins) + length(begins);
        IF place = length(begins) THEN
            RAISE EXCEPTION 'function %: expected a body with BEGIN', function_name;
        END IF;
        EXECUTE left(f.definition, place - 1) || '    ' || line || E'\n'
                || substr(f.definition, place);
    END LOOP;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no function %', function_name;
    END IF;
END
$$;

-- What a person did goes into the audit. Enqueueing does not: the job is its own record, and the
-- audit's writers wait for each other.
SELECT queue.guard('queue.' || a.name, format(
    'PERFORM queue.record_action(%L, %s, %s);', a.action, a.target, coalesce(a.detail, 'NULL')))
FROM (VALUES
    ('cancel', 'jobs.cancel', 'cancel.job_id::text', NULL),
    ('retry', 'jobs.retry', 'retry.job_id::text', NULL),
    ('replay', 'dead_letters.replay', 'NULL',
     'queue.ids_detail(replay.job_ids) || jsonb_build_object(''queue'', replay.queue, '
     '''edited'', replay.payload IS NOT NULL)'),
    ('replay_sealed', 'dead_letters.replay', 'replay_sealed.job_id::text',
     'jsonb_build_object(''queue'', replay_sealed.queue, ''edited'', true)'),
    ('discard', 'dead_letters.discard', 'NULL', 'queue.ids_detail(discard.job_ids)'),
    ('effect_resolve', 'effects.resolve', 'effect_resolve.job_id::text',
     'jsonb_build_object(''step'', effect_resolve.step, ''happened'', effect_resolve.happened)'),
    ('create_queue', 'queues.create', 'create_queue.name', NULL),
    ('pause', 'queues.pause', 'pause.queue', NULL),
    ('resume', 'queues.resume', 'resume.queue', NULL),
    ('purge', 'queues.clear', 'purge.queue', 'jsonb_build_object(''up_to'', purge.up_to)'),
    ('set_retention', 'queues.retain', 'set_retention.queue',
     'jsonb_build_object(''retention'', set_retention.retention)'),
    ('set_dead_letter_retention', 'queues.retain', 'set_dead_letter_retention.queue',
     'jsonb_build_object(''dead_letter_retention'', set_dead_letter_retention.retention)'),
    ('set_kind_retention', 'kinds.retain', 'set_kind_retention.kind',
     'jsonb_build_object(''retention'', set_kind_retention.retention, ''cancelled_retention'', '
     'set_kind_retention.cancelled_retention, ''dead_letter_retention'', '
     'set_kind_retention.dead_letter_retention)'),
    ('set_encrypted', 'kinds.encrypt', 'set_encrypted.kind',
     'jsonb_build_object(''encrypted'', set_encrypted.encrypted)'),
    ('set_archive', 'kinds.archive', 'set_archive.kind',
     'jsonb_build_object(''archive'', set_archive.archive)'),
    ('set_archive_retention', 'archives.retain', 'set_archive_retention.archive',
     'jsonb_build_object(''retention'', set_archive_retention.retention)'),
    ('remove_archived', 'archives.remove', 'remove_archived.archive',
     'queue.ids_detail(remove_archived.ids)'),
    ('limit_set', 'limits.set', 'limit_set.name',
     'jsonb_build_object(''burst'', limit_set.burst, ''rate'', limit_set.rate, ''concurrency'', '
     'limit_set.concurrency, ''parent'', limit_set.parent)'),
    ('limit_reset', 'limits.reset', 'limit_reset.name',
     'jsonb_build_object(''one_key'', limit_reset.key IS NOT NULL)'),
    ('limit_stop', 'limits.stop', 'limit_stop.name', NULL),
    ('limit_resume', 'limits.resume', 'limit_resume.name', NULL),
    ('schedule', 'schedules.set', 'schedule.name',
     'jsonb_build_object(''cron'', schedule.cron, ''timezone'', schedule.timezone, ''kind'', '
     'schedule.kind)'),
    ('unschedule', 'schedules.remove', 'unschedule.name', NULL),
    ('pause_schedule', 'schedules.pause', 'pause_schedule.name', NULL),
    ('resume_schedule', 'schedules.resume', 'resume_schedule.name', NULL),
    ('run_schedule_now', 'schedules.run', 'run_schedule_now.name', NULL),
    ('cancel_batch', 'batches.cancel', 'cancel_batch.batch_id::text', NULL),
    ('subscribe', 'subscriptions.add', 'subscribe.pattern',
     'jsonb_build_object(''kind'', subscribe.kind)'),
    ('forget_unrouted', 'topics.forget', 'forget_unrouted.topic', NULL),
    -- The subject is a person.
    ('erase', 'subjects.erase', 'NULL', 'jsonb_build_object(''dry_run'', erase.dry_run)'))
    a (name, action, target, detail);

-- For functions with a tenant_id: the transaction's tenant stands in for NULL, another is refused.
CREATE FUNCTION queue.keep_to_tenant(VARIADIC function_names text[]) RETURNS void
LANGUAGE sql
AS $$
SELECT queue.guard(f.name, format(
    'IF current_setting(''queue.tenant'', true) <> '''' THEN '
    'tenant_id := queue.own_tenant(%s.tenant_id); END IF;', split_part(f.name, '.', 2)))
FROM unnest(function_names) f (name)
$$;
SELECT queue.keep_to_tenant(
    'queue.enqueue', 'queue.enqueue_many', 'queue.create_batch', 'queue.schedule',
    'queue.unschedule', 'queue.lock_schedule', 'queue.next_firings', 'queue.subscribe',
    'queue.publish');
-- What these made of it before they begin.
SELECT queue.guard('queue.enqueue_once', 'owner_id := coalesce(enqueue_once.tenant_id, owner_id);');
SELECT queue.guard('queue.erase',
                   'hash := queue.subject_hash(erase.subject, erase.tenant_id);');
SELECT queue.keep_to_tenant('queue.enqueue_once', 'queue.erase');

-- Of one's jobs, batches and subscriptions.
SELECT queue.guard('queue.' || f.name, format('PERFORM queue.check_job(%s.job_id);', f.name))
FROM unnest(ARRAY['cancel', 'retry', 'explain', 'effect_resolve', 'replay_sealed']) f (name);
SELECT queue.guard('queue.' || f.name, format('job_ids := queue.own_jobs(%s.job_ids);', f.name))
FROM unnest(ARRAY['replay', 'discard']) f (name);
SELECT queue.guard('queue.' || f.name, format('PERFORM queue.check_batch(%s.batch_id);', f.name))
FROM unnest(ARRAY['add_to_batch', 'seal_batch', 'cancel_batch', 'batch_items']) f (name);

CREATE OR REPLACE FUNCTION queue.last_checkpoint(job_id bigint) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.data FROM queue.checkpoint c
    WHERE c.job_id = last_checkpoint.job_id
      AND cardinality(queue.own_jobs(ARRAY[last_checkpoint.job_id])) = 1
$$;

CREATE OR REPLACE FUNCTION queue.subscribers(
    topic text, payload jsonb DEFAULT NULL, tenant_id uuid DEFAULT NULL)
RETURNS SETOF queue.subscriptions
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.*
    FROM queue.match_topic(queue.topic_words('topic', subscribers.topic, false),
                           queue.own_tenant(subscribers.tenant_id)) m
    JOIN queue.subscriptions v ON v.id = m.id
    WHERE subscribers.payload IS NULL OR m.filter IS NULL
       OR coalesce(subscribers.payload @@ m.filter, false)
    ORDER BY v.id
$$;

-- Of the two functions of this name only this one is in PL/pgSQL; the other calls it.
SELECT queue.guard('queue.unsubscribe',
    'PERFORM queue.record_action(''subscriptions.remove'', unsubscribe.id::text);');
SELECT queue.guard('queue.unsubscribe',
    'IF NOT queue.is_own_subscription(unsubscribe.id) THEN RETURN false; END IF;');
CREATE OR REPLACE FUNCTION queue.unsubscribe(
    pattern text, kind text, tenant_id uuid DEFAULT NULL) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(bool_or(queue.unsubscribe(s.id)), false) FROM queue.subscription s
    WHERE s.pattern = unsubscribe.pattern AND s.kind = unsubscribe.kind
      AND s.tenant_id IS NOT DISTINCT FROM queue.own_tenant(unsubscribe.tenant_id)
$$;

-- Who did it is the principal where there is one, and not the role everybody shares.
DO $do$
DECLARE
    f text;
BEGIN
    FOR f IN
        SELECT pg_get_functiondef(p.oid) FROM pg_proc p
        WHERE p.pronamespace = rtrim('queue.', '.')::regnamespace
          AND p.proname IN ('pause', 'limit_stop', 'erase')
    LOOP
        EXECUTE replace(f, 'session_user', 'queue.current_actor()');
    END LOOP;
END
$do$;

SELECT queue.allow('producer',
    'queue.enqueue', 'queue.enqueue_once', 'queue.enqueue_many', 'queue.publish', 'queue.cancel',
    'queue.explain', 'queue.draw_job_ids', 'queue.create_batch', 'queue.seal_batch',
    'queue.cancel_batch', 'queue.batch_items', 'queue.assert_lease', 'queue.last_checkpoint',
    'queue.schedule', 'queue.unschedule', 'queue.pause_schedule', 'queue.resume_schedule',
    'queue.run_schedule_now', 'queue.next_firings', 'queue.preview_cron', 'queue.subscribe',
    'queue.unsubscribe', 'queue.subscribers', 'queue.limit_take', 'queue.limit_reserve',
    'queue.limit_report', 'queue.limit_close', 'queue.record_action');
SELECT queue.allow('operator',
    'queue.retry', 'queue.replay', 'queue.replay_sealed', 'queue.discard', 'queue.effect_resolve',
    'queue.erase', 'queue.create_token', 'queue.revoke_token', 'queue.create_tenant',
    'queue.verify_audit', 'queue.prune_audit');
SELECT queue.apply_rights();
