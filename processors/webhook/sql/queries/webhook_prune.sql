-- Removes what is older than $1 (seconds) of the log and of the events, at most 10000 rows of each;
-- 0: nothing is left to do. Index: delivery_age, event_age. Locks: the rows.
SELECT webhooks.prune(make_interval(secs => $1::bigint));
