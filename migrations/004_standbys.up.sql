-- Schedulers that stand by, so that a leader without workers can hand the lease to one that has some.
--
-- Applied when: to_regclass('standbys') IS NOT NULL

-- A row for each scheduler that asks for the lease and does not get it. seen_at is its last request.
CREATE TABLE standbys (
    owner          uuid PRIMARY KEY,
    address        text NOT NULL,
    usable_workers integer NOT NULL CHECK (usable_workers >= 0),
    seen_at        timestamptz NOT NULL
) WITH (fillfactor = 20);

-- Until reserved_until only the scheduler reserved_for may take the lease.
ALTER TABLE shards ADD COLUMN reserved_for uuid;
ALTER TABLE shards ADD COLUMN reserved_until timestamptz;

DROP FUNCTION carillon_acquire_lease(uuid, text, bigint, bigint);
CREATE FUNCTION carillon_acquire_lease(
    new_owner uuid, new_address text, lease_ms bigint, above bigint DEFAULT 0, workers bigint DEFAULT 0
)
RETURNS TABLE (held boolean, database_time timestamptz, standby uuid, taken shards) LANGUAGE plpgsql AS $$
DECLARE
    new_epoch bigint;
    new_incarnation bigint;
    is_free boolean := pg_try_advisory_lock(1128354377, 1);
BEGIN
    IF is_free AND EXISTS (
        SELECT FROM shards WHERE reserved_for <> new_owner AND reserved_until > clock_timestamp()
    ) THEN
        PERFORM pg_advisory_unlock(1128354377, 1);
        is_free := false;
    END IF;
    IF is_free THEN
        PERFORM FROM shards ORDER BY shard FOR UPDATE;
        SELECT greatest(max(epoch), above, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 1) + 1
            INTO new_epoch FROM shards;
        new_incarnation := ('x' || encode(substring(uuid_send(gen_random_uuid()) FROM 9), 'hex'))::bit(64)::bigint;
        UPDATE shards SET
            owner = new_owner, address = new_address, epoch = new_epoch, incarnation = new_incarnation,
            commit_owner = NULL, commit_sequence = 0, reserved_for = NULL, reserved_until = NULL,
            lease_expires_at = clock_timestamp() + lease_ms * interval '1 millisecond';
        DELETE FROM standbys WHERE owner = new_owner OR seen_at < clock_timestamp() - interval '1 hour';
    ELSE
        -- A standby asks four times a second: its row is written once a second, or when its workers come or go.
        INSERT INTO standbys AS s VALUES (new_owner, new_address, workers, clock_timestamp())
        ON CONFLICT (owner) DO UPDATE
            SET address = new_address, usable_workers = workers, seen_at = clock_timestamp()
            WHERE s.seen_at < clock_timestamp() - interval '900 milliseconds' OR s.usable_workers <> workers;
    END IF;
    RETURN QUERY SELECT is_free, clock_timestamp(), NULL::uuid, s FROM shards s ORDER BY shard;
END
$$;

-- Keeps the shards. `held` is false when another scheduler has them. `standby` is a scheduler that asked for the lease within
-- the last 2 s and has usable workers.
DROP FUNCTION carillon_renew_lease(uuid, bigint, bigint);
CREATE FUNCTION carillon_renew_lease(old_owner uuid, old_epoch bigint, lease_ms bigint)
RETURNS TABLE (held boolean, database_time timestamptz, standby uuid, taken shards) LANGUAGE plpgsql AS $$
DECLARE
    matching integer;
    candidate uuid;
BEGIN
    PERFORM FROM shards WHERE owner = old_owner AND epoch = old_epoch ORDER BY shard FOR NO KEY UPDATE;
    GET DIAGNOSTICS matching = ROW_COUNT;
    IF matching = 16 THEN
        UPDATE shards SET lease_expires_at = clock_timestamp() + lease_ms * interval '1 millisecond';
    END IF;
    SELECT s.owner INTO candidate FROM standbys s
        WHERE s.usable_workers > 0 AND s.seen_at > clock_timestamp() - interval '2 seconds' AND s.owner <> old_owner
        ORDER BY s.usable_workers DESC, s.owner LIMIT 1;
    RETURN QUERY SELECT matching = 16, clock_timestamp(), candidate, s FROM shards s ORDER BY shard;
END
$$;
