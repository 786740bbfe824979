-- breaking: no
-- Two counts that must be right: enqueues by key, and one audit record for one action.
--
-- Counts enqueues with an idempotency key: those that made a job and those that found one. Two
-- sequences are the counters: drawing from one takes no lock until the transaction's end, leaves no
-- dead row and is not undone, so an enqueue that was rolled back counts as well. Enqueues without
-- a key draw from neither. After a crash or a failover of the server up to 32 more are counted than
-- there were. See docs/metrics.md.

CREATE SEQUENCE queue.idempotency_miss_seq AS bigint;
CREATE SEQUENCE queue.idempotency_hit_seq AS bigint;
COMMENT ON SEQUENCE queue.idempotency_miss_seq IS 'Keyed enqueues that made a job';
COMMENT ON SEQUENCE queue.idempotency_hit_seq IS 'Keyed enqueues that found their job there';

-- An action that is made of others is recorded itself: what it calls between these two is a part of
-- it and is not. Part of this transaction, and of no more of it than its caller's block when that
-- fails.
CREATE FUNCTION queue.begin_parts() RETURNS void
LANGUAGE sql
AS $$
SELECT set_config('queue.parts',
    (coalesce(nullif(current_setting('queue.parts', true), ''), '0')::integer + 1)::text, true)
$$;
CREATE FUNCTION queue.end_parts() RETURNS void
LANGUAGE sql
AS $$
SELECT set_config('queue.parts', (current_setting('queue.parts')::integer - 1)::text, true)
$$;

CREATE OR REPLACE FUNCTION queue.record_action(action text, target text DEFAULT NULL,
                                               detail jsonb DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(current_setting('queue.actor', true), '') <> ''
       AND coalesce(current_setting('queue.parts', true), '') IN ('', '0') THEN
        PERFORM queue.check_audit(record_action.action, record_action.target,
                                  record_action.detail);
        INSERT INTO queue.audit_entry (actor, role, tenant_id, action, target, detail, request_id)
        VALUES (current_setting('queue.actor'), current_setting('queue.role', true),
                queue.current_tenant(), record_action.action, record_action.target,
                record_action.detail, nullif(current_setting('queue.request_id', true), ''));
    END IF;
END
$$;

-- These keep their bodies but for a line or two: the two counts of queue.enqueue_once, which is the
-- one way in for all keyed enqueues; the parts of retrying with another payload and of erasing; and
-- what is not there is not removed.
DO $do$
DECLARE
    f text;
    changed text;
    edit record;
BEGIN
    FOR edit IN
        SELECT * FROM (VALUES
            ('enqueue_once', '', E'\n        duplicate := true;\n',
             E'\n        PERFORM nextval(''queue.idempotency_hit_seq'');%s'),
            ('enqueue_once', '',
             E'\n    UPDATE queue.idempotency i SET job_id = enqueue_once.id\n',
             E'\n    PERFORM nextval(''queue.idempotency_miss_seq'');%s'),
            ('retry_edited', '', E'\n    SELECT r.new_id INTO made\n',
             E'\n    PERFORM queue.begin_parts();%s'),
            ('retry_edited', '', E'RETURN made;', E'PERFORM queue.end_parts();\n    %s'),
            ('erase_jobs', '', E'\n    FOR one IN SELECT x.id FROM queue.jobs x\n',
             E'\n    PERFORM queue.begin_parts();%s'),
            ('erase_jobs', '', E'\n    END LOOP;\n', E'%s    PERFORM queue.end_parts();\n'),
            ('unschedule', '',
             E'    PERFORM queue.record_action(''schedules.remove'', unschedule.name, NULL);\n',
             ''),
            ('unschedule', '', E'\n    DELETE FROM queue.schedule_run r',
             E'\n    PERFORM queue.record_action(''schedules.remove'', unschedule.name);%s'),
            ('unsubscribe', 'id bigint',
             E'    PERFORM queue.record_action(''subscriptions.remove'', unsubscribe.id::text);\n',
             ''),
            ('unsubscribe', 'id bigint', E'\n    LOOP\n',
             E'\n    PERFORM queue.record_action(''subscriptions.remove'', '
             'unsubscribe.id::text);%s'))
            v (name, arguments, place, becomes)
    LOOP
        SELECT pg_get_functiondef(p.oid) INTO STRICT f FROM pg_proc p
        WHERE p.pronamespace = rtrim('queue.', '.')::regnamespace AND p.proname = edit.name
          AND pg_get_function_arguments(p.oid) LIKE '%' || edit.arguments || '%';
        changed := replace(f, edit.place, replace(edit.becomes, '%s', edit.place));
        IF changed = f THEN
            RAISE EXCEPTION 'queue.%: expected a body with %', edit.name, quote_literal(edit.place);
        END IF;
        EXECUTE changed;
    END LOOP;
END
$do$;

SELECT queue.apply_rights();
