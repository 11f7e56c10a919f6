-- Dispatch tokens that no worker can invent, and epochs that never repeat, even after a restore.
--
-- Applied when: EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('job_executions') AND attname = 'token_incarnation')

-- Take the locks in the order of every batch: shards, then executions.
-- incarnation is drawn at random with each epoch. cluster_key, on shard 0, is the secret of the codes of dispatch tokens.
ALTER TABLE shards ADD COLUMN incarnation bigint NOT NULL DEFAULT 0;
ALTER TABLE shards ADD COLUMN cluster_key bytea CHECK (octet_length(cluster_key) = 32);
UPDATE shards SET cluster_key = uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) WHERE shard = 0;

-- worker_boot_id is the worker process that a claim was made for.
ALTER TABLE job_executions ADD COLUMN token_incarnation bigint;
ALTER TABLE job_executions ADD COLUMN worker_boot_id uuid;

-- Takes all shards under a new epoch if the calling session has, or gets, the advisory lock. The rows returned are the shards
-- as they are then; `held` says whether they are the caller's. The epoch is higher than every stored one and than `above`. It
-- is not lower than the clock in microseconds, so that a restored database does not repeat the epochs of the lost history.
DROP FUNCTION carillon_acquire_lease(uuid, text, bigint);
CREATE FUNCTION carillon_acquire_lease(new_owner uuid, new_address text, lease_ms bigint, above bigint DEFAULT 0)
RETURNS TABLE (held boolean, database_time timestamptz, taken shards) LANGUAGE plpgsql AS $$
DECLARE
    new_epoch bigint;
    new_incarnation bigint;
    is_free boolean := pg_try_advisory_lock(1128354377, 1);
BEGIN
    IF is_free THEN
        PERFORM FROM shards ORDER BY shard FOR UPDATE;
        SELECT greatest(max(epoch), above, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 1) + 1
            INTO new_epoch FROM shards;
        new_incarnation := ('x' || encode(substring(uuid_send(gen_random_uuid()) FROM 9), 'hex'))::bit(64)::bigint;
        UPDATE shards SET
            owner = new_owner, address = new_address, epoch = new_epoch, incarnation = new_incarnation,
            commit_owner = NULL, commit_sequence = 0,
            lease_expires_at = clock_timestamp() + lease_ms * interval '1 millisecond';
    END IF;
    RETURN QUERY SELECT is_free, clock_timestamp(), s FROM shards s ORDER BY shard;
END
$$;
