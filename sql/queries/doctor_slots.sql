-- Replication slots that nobody reads and that hold dead rows or WAL back.
-- No parameters. Rows: severity, found, cure (text). Index: none. Locks: none.
SELECT 'warning' AS severity,
       format('replication slot %s is not in use and holds back %s', s.slot_name,
              concat_ws(' and ',
                        CASE WHEN s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL
                             THEN 'dead rows' END,
                        CASE WHEN s.restart_lsn IS NOT NULL
                             THEN pg_size_pretty(pg_wal_lsn_diff(
                                 CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
                                      ELSE pg_current_wal_lsn() END, s.restart_lsn)) || ' of WAL'
                        END)) AS found,
       format('psql -c "SELECT pg_drop_replication_slot(%L)"', s.slot_name) AS cure
FROM pg_replication_slots s
WHERE NOT s.active
  AND (s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL OR s.restart_lsn IS NOT NULL)
ORDER BY s.slot_name
LIMIT 20
