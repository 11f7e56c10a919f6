-- What 004_standbys added. A running scheduler of the later version must be stopped before.

DROP FUNCTION carillon_renew_lease(uuid, bigint, bigint);
CREATE FUNCTION carillon_renew_lease(old_owner uuid, old_epoch bigint, lease_ms bigint)
RETURNS TABLE (held boolean, database_time timestamptz, taken shards) LANGUAGE plpgsql AS $$
DECLARE
    matching integer;
BEGIN
    PERFORM FROM shards WHERE owner = old_owner AND epoch = old_epoch ORDER BY shard FOR NO KEY UPDATE;
    GET DIAGNOSTICS matching = ROW_COUNT;
    IF matching = 16 THEN
        UPDATE shards SET lease_expires_at = clock_timestamp() + lease_ms * interval '1 millisecond';
    END IF;
    RETURN QUERY SELECT matching = 16, clock_timestamp(), s FROM shards s ORDER BY shard;
END
$$;
DROP FUNCTION carillon_acquire_lease(uuid, text, bigint, bigint, bigint);
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
ALTER TABLE shards DROP COLUMN reserved_until;
ALTER TABLE shards DROP COLUMN reserved_for;
DROP TABLE standbys;
