-- What 003_dispatch_tokens added. A running scheduler of the later version must be stopped before.

DROP FUNCTION carillon_acquire_lease(uuid, text, bigint, bigint);
CREATE FUNCTION carillon_acquire_lease(new_owner uuid, new_address text, lease_ms bigint)
RETURNS TABLE (held boolean, database_time timestamptz, taken shards) LANGUAGE plpgsql AS $$
DECLARE
    new_epoch bigint;
    is_free boolean := pg_try_advisory_lock(1128354377, 1);
BEGIN
    IF is_free THEN
        PERFORM FROM shards ORDER BY shard FOR UPDATE;
        SELECT max(epoch) + 1 INTO new_epoch FROM shards;
        UPDATE shards SET
            owner = new_owner, address = new_address, epoch = new_epoch, commit_owner = NULL, commit_sequence = 0,
            lease_expires_at = clock_timestamp() + lease_ms * interval '1 millisecond';
    END IF;
    RETURN QUERY SELECT is_free, clock_timestamp(), s FROM shards s ORDER BY shard;
END
$$;
ALTER TABLE job_executions DROP COLUMN worker_boot_id;
ALTER TABLE job_executions DROP COLUMN token_incarnation;
ALTER TABLE shards DROP COLUMN cluster_key;
ALTER TABLE shards DROP COLUMN incarnation;
