-- A new identity for this boot.
-- $1 text name  $2 text host  $3 int pid  $4 text version  $5 text[] queues  $6 text[] kinds
-- $7 int heartbeat ms  $8 int lease ms. Rows: id.
-- Index: none. Locks: the new row.
INSERT INTO queue.worker (beat_at, started_at, name, host, pid, version, queues, kinds,
                          heartbeat_ms, lease_ms)
VALUES (clock_timestamp(), clock_timestamp(), $1::text, $2::text, $3::int, $4::text, $5::text[],
        $6::text[], $7::int, $8::int)
RETURNING id
