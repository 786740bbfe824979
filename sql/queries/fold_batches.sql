-- Adds up what batches have come to and ends those that are over.
-- $1 int time limit in ms  $2 int tallies at a time  $3 bigint up to this tally all is folded.
-- One row: tallies folded, batches ended, what is wrong with a callback, whether there is more,
-- whether a batch was passed by because another session held its row; and how far all is folded:
-- up_to, drawn, next_xid, oldest_xid as queue.fold_batches says.
-- Index: batch_tally_pkey, batch_tally_batch_id_idx, batch_pkey. Locks: the batches, SKIP LOCKED.
SELECT f.folded, f.ended, f.problem, f.more, f.passed, f.up_to, f.drawn, f.next_xid, f.oldest_xid
FROM queue.fold_batches($1::int * interval '1 millisecond', $2::int, $3::bigint) f
