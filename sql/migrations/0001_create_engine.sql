-- breaking: no
-- The engine's tables. Four ideas: a job is a fact (inserted once, never updated); the line is
-- narrow; a claim is one row; history is appended. A job's state follows from where it stands.
-- No foreign keys, no triggers and no status column on the hot path: see docs/storage.md.

CREATE TABLE queue.queue (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    max_payload_bytes integer NOT NULL DEFAULT 1048576,
    -- A sequence used as a flag that needs no MVCC: it holds the time (epoch ms) until which some
    -- worker sleeps beside it. Reading it costs an enqueuer one buffer and leaves nothing dead.
    doorbell regclass NOT NULL,
    paused_at timestamptz,
    pause_reason text,
    paused_by text,
    -- The limit (queue.limit_rule) that all its jobs are under; published by the workers.
    limit_name text COLLATE "C",
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT queue_name_key UNIQUE (name),
    CONSTRAINT queue_name_valid CHECK (name ~ '^[A-Za-z0-9_.-]{1,64}$'),
    CONSTRAINT queue_max_payload_valid CHECK (max_payload_bytes BETWEEN 1 AND 67108864)
);
COMMENT ON TABLE queue.queue IS 'Where jobs wait; served by workers with a concurrency each';

CREATE TABLE queue.kind (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    queue text COLLATE "C" NOT NULL DEFAULT 'default',
    priority smallint NOT NULL DEFAULT 5,
    max_attempts smallint NOT NULL DEFAULT 4,
    crash_budget smallint NOT NULL DEFAULT 3,
    on_lost text COLLATE "C" NOT NULL DEFAULT 'retry',
    limit_name text COLLATE "C",
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT kind_name_valid CHECK (name ~ '^[a-z0-9_.-]{1,64}$'),
    CONSTRAINT kind_max_attempts_valid CHECK (max_attempts BETWEEN 1 AND 1000),
    CONSTRAINT kind_crash_budget_valid CHECK (crash_budget BETWEEN 0 AND 1000),
    CONSTRAINT kind_on_lost_valid CHECK (on_lost IN ('retry', 'dead', 'hold', 'reconcile'))
);
COMMENT ON TABLE queue.kind IS 'Defaults of each kind, published by the workers that handle it';

-- A line is one (queue, kind, priority) that jobs stand in. The triple is deliberately NOT unique:
-- two transactions that first use it at the same time each make a row of their own and neither
-- waits for the other's commit; workers serve both, and nothing can deadlock over it.
CREATE TABLE queue.line (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue_id integer NOT NULL,
    priority smallint NOT NULL,
    kind text COLLATE "C" NOT NULL
);
CREATE INDEX line_triple_idx ON queue.line (kind, queue_id, priority);

CREATE SEQUENCE queue.job_id_seq AS bigint;
CREATE TABLE queue.job (
    id bigint NOT NULL PRIMARY KEY,
    created_at timestamptz NOT NULL,
    run_at timestamptz NOT NULL,
    line_id integer NOT NULL,
    max_attempts smallint NOT NULL,
    tenant_id uuid,
    payload jsonb NOT NULL,
    -- Tags, trace context, the idempotency key and whatever the producer adds.
    meta jsonb
) WITH (autovacuum_vacuum_insert_scale_factor = 0.5, autovacuum_analyze_scale_factor = 0.5);
COMMENT ON TABLE queue.job IS 'The fact: inserted once, never updated';

CREATE TABLE queue.ready (
    id bigint NOT NULL,
    run_at timestamptz NOT NULL,
    -- Minus the line's id: a suspect, which is so exactly when the job's latest attempt is 'lost'.
    -- It runs apart from others, so that a second loss has one culprit.
    line_id integer NOT NULL,
    -- Attempts used up before this run.
    attempt smallint NOT NULL,
    -- TRUE: the next run is the reconcile handler's. NULL otherwise, which takes no space.
    reconcile boolean,
    -- TRUE: put back by a limit; run_at is the slot it reserved. NULL otherwise, likewise.
    reserved boolean,
    CONSTRAINT ready_pkey PRIMARY KEY (line_id, run_at, id)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 1.0, autovacuum_analyze_scale_factor = 1.0,
        autovacuum_vacuum_cost_delay = 1);
-- Slots are reached past the backlog that waits before them. Holds reserved jobs only.
CREATE INDEX ready_reserved_idx ON queue.ready (line_id, run_at, id) WHERE reserved;
COMMENT ON TABLE queue.ready IS 'The line: due, delayed and retrying jobs; claiming deletes';

CREATE SEQUENCE queue.lease_id_seq AS bigint;
CREATE TABLE queue.lease (
    id bigint NOT NULL PRIMARY KEY,
    worker_id bigint NOT NULL,
    claimed_at timestamptz NOT NULL,
    job_ids bigint[] NOT NULL,
    -- Attempts used up before, by position in job_ids.
    attempts smallint[] NOT NULL,
    CONSTRAINT lease_arrays_match CHECK (cardinality(job_ids) = cardinality(attempts))
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
-- A batch's ids are written as they are: compressing them costs more than claiming a hundred jobs.
ALTER TABLE queue.lease ALTER COLUMN job_ids SET STORAGE EXTERNAL;
ALTER TABLE queue.lease ALTER COLUMN attempts SET STORAGE EXTERNAL;
CREATE INDEX lease_worker_idx ON queue.lease (worker_id);
COMMENT ON TABLE queue.lease IS 'One row per claim: its id is the fence, its worker the owner';

CREATE TYPE queue.attempt_outcome AS ENUM (
    'completed', 'failed', 'snoozed', 'discarded', 'cancelled', 'unknown', 'lost', 'replayed');

CREATE TABLE queue.attempt (
    job_id bigint NOT NULL,
    -- The lease it ran under; operator actions (cancel, replay) draw an id of their own, so the
    -- largest lease_id of a job is always its latest event.
    lease_id bigint NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    -- Where the job stands in line again; NULL when this was its last word.
    next_run_at timestamptz,
    worker_id bigint,
    outcome queue.attempt_outcome NOT NULL,
    attempt smallint NOT NULL,
    -- TRUE: what this job's effect did is open; its next run is the reconcile handler's.
    reconcile boolean,
    error text,
    output jsonb,
    CONSTRAINT attempt_pkey PRIMARY KEY (job_id, lease_id),
    CONSTRAINT attempt_final_has_no_next CHECK (
        next_run_at IS NULL OR outcome NOT IN ('completed', 'discarded', 'cancelled'))
) WITH (autovacuum_vacuum_insert_scale_factor = 0.5, autovacuum_analyze_scale_factor = 0.5);
COMMENT ON TABLE queue.attempt IS 'History, appended only while the lease stands';

CREATE TABLE queue.dead_letter (
    job_id bigint NOT NULL PRIMARY KEY,
    died_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    tenant_id uuid,
    queue text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    priority smallint NOT NULL,
    max_attempts smallint NOT NULL,
    attempt smallint NOT NULL,
    reason text NOT NULL,
    error text,
    fingerprint text COLLATE "C" NOT NULL,
    payload jsonb NOT NULL,
    meta jsonb,
    attempts jsonb NOT NULL
);
CREATE INDEX dead_letter_died_at_idx ON queue.dead_letter (died_at);
CREATE INDEX dead_letter_fingerprint_idx ON queue.dead_letter (fingerprint);

-- Keys outlive their job and have their own time to live. Jobs without tenant use the zero UUID.
CREATE TABLE queue.idempotency (
    tenant_id uuid NOT NULL,
    key text COLLATE "C" NOT NULL,
    job_id bigint NOT NULL,
    content_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_expires_at_idx ON queue.idempotency (expires_at);

CREATE TABLE queue.cancel_request (
    job_id bigint NOT NULL PRIMARY KEY,
    requested_at timestamptz NOT NULL,
    reason text
);

CREATE TABLE queue.progress (
    job_id bigint NOT NULL PRIMARY KEY,
    updated_at timestamptz NOT NULL,
    fraction real NOT NULL,
    message text,
    CONSTRAINT progress_fraction_valid CHECK (fraction BETWEEN 0 AND 1)
) WITH (fillfactor = 50);

CREATE TABLE queue.worker (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Counts up with every heartbeat. Others judge liveness by seeing it change on their own
    -- monotonic clock, so clock steps and database outages never kill a live worker.
    beats bigint NOT NULL DEFAULT 0,
    beat_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    -- TRUE while the worker's presence connection holds its session advisory lock.
    session_lock boolean NOT NULL DEFAULT false,
    heartbeat_ms integer NOT NULL,
    lease_ms integer NOT NULL,
    pid integer NOT NULL,
    active integer NOT NULL DEFAULT 0,
    state text COLLATE "C" NOT NULL DEFAULT 'running',
    name text NOT NULL,
    host text NOT NULL,
    version text NOT NULL,
    queues text[] COLLATE "C" NOT NULL,
    kinds text[] COLLATE "C" NOT NULL,
    -- How the process died, said by one who saw it; NULL while nobody did.
    ended text,
    -- {"queue": {"running": n, "concurrency": n}}
    slots jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT worker_state_valid CHECK (state IN ('running', 'paused', 'draining'))
) WITH (fillfactor = 50);

-- Where this queue is meant to run its jobs. A restored dump or a copied database carries the row
-- along while the server and the database around it are others: then workers refuse to start.
CREATE TABLE queue.installation (
    -- One row.
    is_here boolean NOT NULL PRIMARY KEY DEFAULT true,
    -- Of pg_control_system(), NULL where this role may not ask; text because it is unsigned.
    system_identifier text COLLATE "C",
    database_oid oid NOT NULL,
    -- Given by an operator. A file-level copy keeps the identifiers of its origin and is told
    -- apart only by a worker that expects another name.
    name text COLLATE "C",
    adopted_at timestamptz NOT NULL,
    CONSTRAINT installation_single CHECK (is_here)
);
