-- Removes a bounded part of what is no longer kept.
-- Returns jsonb: what went, and `more`. Index: bucket_age and the like. Locks: that of ingest.
SELECT analytics.prune()
