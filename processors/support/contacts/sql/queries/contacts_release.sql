-- Takes what a job was to send off the count: nothing was sent.
-- $1 bigint: the job.
-- Rows: one without meaning. Index: sending_pkey. Locks: the job's rows.
SELECT contacts.release($1::bigint)
