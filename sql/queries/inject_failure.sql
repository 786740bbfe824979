-- Fails as two transactions that cannot be ordered do; for failpoints.
-- No parameters, no rows. Index: none. Locks: none.
DO $$
BEGIN
    RAISE EXCEPTION 'a failpoint failed this transaction' USING ERRCODE = '40001';
END
$$
