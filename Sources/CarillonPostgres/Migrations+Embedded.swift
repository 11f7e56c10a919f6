// swift-format-ignore-file
// Made of migrations/*.sql by .ci/embed-migrations.sh: change those, then run it again.

extension Migration {
    /// All migrations, oldest first.
    package static let all: [Migration] = [
        Migration(
            version: 1,
            name: "init",
            up: ##"""
-- Carillon's tables: what to call and when (jobs), what became of every due time (job_executions, a partition a day),
-- who may write (shards).
--
-- Applied when: to_regclass('jobs') IS NOT NULL AND to_regclass('job_executions') IS NOT NULL AND to_regclass('shards') IS NOT NULL
-- (The line above is how a schema that was made with psql is recognized.)

-- ---------------------------------------------------------------------------------------------------------- identities

-- A UUIDv7 (RFC 9562, section 5.7): ordered by the time at which it was made.
CREATE FUNCTION carillon_new_job_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(
        set_bit(set_bit(
            overlay(
                uuid_send(gen_random_uuid())
                PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                FROM 1 FOR 6
            ),
            52, 1), 53, 1),
        'hex')::uuid
$$;

-- The shard of a job, 0 to 15: FNV-1a over the id's bytes, folded. The schedulers compute the same.
CREATE FUNCTION carillon_shard(job_id uuid) RETURNS smallint LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    b bytea := uuid_send(job_id);
    h bigint := 2166136261;
BEGIN
    h := ((((h # get_byte(b, 0)) * 16777619 & 4294967295) # get_byte(b, 1)) * 16777619) & 4294967295;
    h := ((((h # get_byte(b, 2)) * 16777619 & 4294967295) # get_byte(b, 3)) * 16777619) & 4294967295;
    h := ((((h # get_byte(b, 4)) * 16777619 & 4294967295) # get_byte(b, 5)) * 16777619) & 4294967295;
    h := ((((h # get_byte(b, 6)) * 16777619 & 4294967295) # get_byte(b, 7)) * 16777619) & 4294967295;
    h := ((((h # get_byte(b, 8)) * 16777619 & 4294967295) # get_byte(b, 9)) * 16777619) & 4294967295;
    h := ((((h # get_byte(b, 10)) * 16777619 & 4294967295) # get_byte(b, 11)) * 16777619) & 4294967295;
    h := ((((h # get_byte(b, 12)) * 16777619 & 4294967295) # get_byte(b, 13)) * 16777619) & 4294967295;
    h := ((((h # get_byte(b, 14)) * 16777619 & 4294967295) # get_byte(b, 15)) * 16777619) & 4294967295;
    RETURN (h # (h >> 16)) & 15;
END
$$;

-- The smallest id of an execution of that time: an execution_id begins with its scheduled time in milliseconds, 48 bits.
CREATE FUNCTION carillon_first_id(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- ---------------------------------------------------------------------------------------------------------------- jobs

CREATE TABLE jobs (
    job_id                 uuid PRIMARY KEY DEFAULT carillon_new_job_id(),
    name                   text CHECK (octet_length(name) BETWEEN 1 AND 200),
    description            text,
    schedule               text NOT NULL,
    time_zone              text NOT NULL DEFAULT 'UTC',
    dst_policy             text NOT NULL DEFAULT 'CRON' CHECK (dst_policy IN ('CRON', 'SKIP', 'BOTH')),
    api_url                text NOT NULL,
    http_method            text NOT NULL DEFAULT 'POST',
    -- One element a header field, as it is sent: {"X-Team: blue"}.
    headers                text[] NOT NULL DEFAULT '{}',
    -- NULL: Carillon's own JSON body.
    body                   text,
    execution_type         text NOT NULL DEFAULT 'AT_LEAST_ONCE'
                           CHECK (execution_type IN ('AT_LEAST_ONCE', 'AT_MOST_ONCE')),
    timeout_ms             integer NOT NULL DEFAULT 30000 CHECK (timeout_ms > 0),
    max_retries            integer NOT NULL DEFAULT 3 CHECK (max_retries >= 0),
    retry_initial_delay_ms integer NOT NULL DEFAULT 2000 CHECK (retry_initial_delay_ms >= 0),
    retry_max_delay_ms     integer NOT NULL DEFAULT 30000 CHECK (retry_max_delay_ms >= 0),
    catch_up_policy        text NOT NULL DEFAULT 'LATEST' CHECK (catch_up_policy IN ('LATEST', 'ALL', 'NONE')),
    catch_up_window_ms     integer NOT NULL DEFAULT 60000 CHECK (catch_up_window_ms >= 0),
    overlap_policy         text NOT NULL DEFAULT 'ALLOW' CHECK (overlap_policy IN ('ALLOW', 'SKIP')),
    priority               integer NOT NULL DEFAULT 0,
    active                 boolean NOT NULL DEFAULT true,
    starts_at              timestamptz,
    ends_at                timestamptz,
    tags                   text[] NOT NULL DEFAULT '{}',
    -- Made for one call at once; never listed.
    hidden                 boolean NOT NULL DEFAULT false,
    shard                  smallint NOT NULL GENERATED ALWAYS AS (carillon_shard(job_id)) STORED,
    -- Due times before it are never made. Set at create, resume, and change of schedule.
    effective_from         timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Grows by one with every change.
    version                bigint NOT NULL DEFAULT 1,
    created_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at             timestamptz
);

-- Names are unique among the living.
CREATE UNIQUE INDEX jobs_name_living ON jobs (name) WHERE deleted_at IS NULL;
-- Newest first, however many were deleted or hidden in between: a UUIDv7 orders by time.
CREATE INDEX jobs_listed ON jobs (job_id) WHERE deleted_at IS NULL AND NOT hidden;
CREATE INDEX jobs_listed_active ON jobs (active, job_id) WHERE deleted_at IS NULL AND NOT hidden;
-- The re-read of what was changed by hand.
CREATE INDEX jobs_updated_at ON jobs (updated_at);
CREATE INDEX jobs_tags ON jobs USING gin (tags);

-- What somebody changes with psql counts as a change: the schedulers find it by its version and updated_at.
CREATE FUNCTION carillon_job_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.job_id <> OLD.job_id THEN
        RAISE EXCEPTION 'the job_id of a job cannot be changed: its executions refer to it'
            USING ERRCODE = 'integrity_constraint_violation', HINT = 'Insert a new job and delete this one.';
    END IF;
    IF NEW.version <= OLD.version THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := clock_timestamp();
        IF NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL THEN
            NEW.active := false;
        END IF;
        -- The schedule begins anew: nothing of the past is made up for.
        IF NEW.effective_from = OLD.effective_from
            AND (NEW.schedule, NEW.time_zone, NEW.dst_policy, NEW.starts_at, NEW.ends_at, NEW.active)
                IS DISTINCT FROM (OLD.schedule, OLD.time_zone, OLD.dst_policy, OLD.starts_at, OLD.ends_at, OLD.active)
        THEN
            NEW.effective_from := clock_timestamp();
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER jobs_before_update BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION carillon_job_updated();

-- A DELETE becomes a soft delete, which the schedulers can see; what is deleted already may be purged.
CREATE FUNCTION carillon_job_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.deleted_at IS NOT NULL THEN
        RETURN OLD;
    END IF;
    UPDATE jobs SET deleted_at = clock_timestamp() WHERE job_id = OLD.job_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER jobs_before_delete BEFORE DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION carillon_job_deleted();

-- How many jobs are listed when nothing is filtered: the sum of these rows. There is one row, or a few when several
-- sessions changed jobs at the same time, so that no session ever waits for another one's transaction.
CREATE TABLE job_count (
    jobs bigint NOT NULL
) WITH (fillfactor = 20);
INSERT INTO job_count VALUES (0);

CREATE FUNCTION carillon_count_jobs(difference bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF difference = 0 THEN
        RETURN;
    END IF;
    UPDATE job_count SET jobs = jobs + difference
        WHERE ctid = (SELECT ctid FROM job_count LIMIT 1 FOR UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
        INSERT INTO job_count VALUES (difference);
    END IF;
END
$$;

CREATE FUNCTION carillon_jobs_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM carillon_count_jobs((SELECT count(*) FROM added WHERE deleted_at IS NULL AND NOT hidden));
    RETURN NULL;
END
$$;
CREATE TRIGGER jobs_count_insert AFTER INSERT ON jobs REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION carillon_jobs_inserted();

CREATE FUNCTION carillon_jobs_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM carillon_count_jobs(
        (SELECT count(*) FROM added WHERE deleted_at IS NULL AND NOT hidden)
        - (SELECT count(*) FROM removed WHERE deleted_at IS NULL AND NOT hidden));
    RETURN NULL;
END
$$;
CREATE TRIGGER jobs_count_update AFTER UPDATE ON jobs REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION carillon_jobs_changed();

CREATE FUNCTION carillon_jobs_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM job_count;
    INSERT INTO job_count VALUES (0);
    RETURN NULL;
END
$$;
CREATE TRIGGER jobs_count_truncate AFTER TRUNCATE ON jobs
    FOR EACH STATEMENT EXECUTE FUNCTION carillon_jobs_truncated();

-- ---------------------------------------------------------------------------------------------------------- executions

-- The life of every due time. Statuses: PENDING, RUNNING, RETRYING; SUCCESS, FAILED, CANCELLED, UNKNOWN, SKIPPED.
-- There is no index on status, and updates touch no indexed column: they stay heap-only.
CREATE TABLE job_executions (
    execution_id      uuid NOT NULL,
    job_id            uuid NOT NULL,
    scheduled_time    timestamptz NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    shard             smallint NOT NULL,
    attempts          integer NOT NULL DEFAULT 0,
    lost_attempts     integer NOT NULL DEFAULT 0,
    trigger           text NOT NULL DEFAULT 'SCHEDULE' CHECK (trigger IN ('SCHEDULE', 'MANUAL')),
    status            text NOT NULL DEFAULT 'PENDING' CHECK (status IN (
                          'PENDING', 'RUNNING', 'RETRYING', 'SUCCESS', 'FAILED', 'CANCELLED', 'UNKNOWN', 'SKIPPED')),
    reason            text,
    token_epoch       bigint,
    token_sequence    bigint,
    next_attempt_at   timestamptz,
    actual_start_time timestamptz,
    finished_at       timestamptz,
    http_status       integer,
    duration_ms       double precision,
    drift_ms          double precision,
    response          text,
    error_message     text,
    worker            text,
    -- A SKIPPED row may stand for many due times: how many, and the first of them (scheduled_time is the last).
    skipped_count     bigint,
    skipped_from      timestamptz,
    PRIMARY KEY (execution_id)
) PARTITION BY RANGE (execution_id);
CREATE INDEX job_executions_job ON job_executions (job_id, execution_id);

-- Each failed HTTP call. A success at the first try has no row here.
CREATE TABLE execution_attempts (
    execution_id   uuid NOT NULL,
    token_epoch    bigint NOT NULL,
    token_sequence bigint NOT NULL,
    started_at     timestamptz NOT NULL,
    finished_at    timestamptz NOT NULL,
    attempt        integer NOT NULL,
    http_status    integer,
    duration_ms    double precision NOT NULL,
    response       text,
    error_message  text,
    worker         text,
    PRIMARY KEY (execution_id, token_epoch, token_sequence)
) PARTITION BY RANGE (execution_id);

-- Makes one table's partition of a day (UTC), unless it is there. ATTACH takes a weaker lock on the parent than CREATE
-- TABLE ... PARTITION OF: nobody who reads or writes has to wait.
CREATE FUNCTION carillon_make_partition(parent regclass, day date, parameters text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    -- Beside its parent, whatever the search_path is.
    home text := (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = parent);
    bare text := (SELECT relname FROM pg_class WHERE oid = parent);
    child text := home || '.' || quote_ident(bare || '_' || to_char(day, 'YYYYMMDD'));
    is_pending boolean;
BEGIN
    IF to_regclass(child) IS NULL THEN
        EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS) %s', child, parent, parameters);
    ELSE
        SELECT inhdetachpending INTO is_pending FROM pg_inherits
            WHERE inhparent = parent AND inhrelid = to_regclass(child);
        IF is_pending IS FALSE THEN
            RETURN;
        END IF;
        -- A detachment that was begun and not brought to its end: the day is wanted again.
        IF is_pending THEN
            EXECUTE format('ALTER TABLE %s DETACH PARTITION %s FINALIZE', parent, child);
        END IF;
    END IF;
    EXECUTE format(
        'ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', parent, child,
        carillon_first_id(day::timestamp AT TIME ZONE 'UTC'), carillon_first_id((day + 1)::timestamp AT TIME ZONE 'UTC'));
END
$$;

-- Makes the partitions of a day, unless they are there. Any number of sessions may call it at the same time.
CREATE FUNCTION carillon_make_day(day date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1128354377, 3);
    -- Room in every page, so that an update finds its place beside the row.
    PERFORM carillon_make_partition('job_executions', day, 'WITH (fillfactor = 70)');
    PERFORM carillon_make_partition('execution_attempts', day, '');
END
$$;

-- -------------------------------------------------------------------------------------------------------------- shards

-- Who may write, and how far the writing has come. Until shards are given to several schedulers one owner has all 16.
CREATE TABLE shards (
    shard                smallint PRIMARY KEY CHECK (shard BETWEEN 0 AND 15),
    -- Random, drawn at each start of a scheduler.
    owner                uuid,
    address              text,
    epoch                bigint NOT NULL DEFAULT 0,
    lease_expires_at     timestamptz,
    -- Every due time up to here has its row.
    materialized_through timestamptz,
    -- Every execution up to here is over.
    settled_through      timestamptz,
    -- Due times in (gap_from, gap_to] were missed and are worked off.
    gap_from             timestamptz,
    gap_to               timestamptz,
    -- The last batch that was committed, on shard 0: how a commit whose answer was lost is settled.
    commit_owner         uuid,
    commit_sequence      bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 30);
INSERT INTO shards (shard) SELECT generate_series(0, 15);

-- The first statement of every batch: locks the shards, or refuses. CA001: another scheduler has them. CA002: this batch
-- (or a later one) was committed before, by a session that was given up too early.
CREATE FUNCTION carillon_fence(
    batch_owner uuid, batch_epoch bigint, batch_sequence bigint, materialized timestamptz, settled timestamptz,
    has_gap boolean, new_gap_from timestamptz, new_gap_to timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held integer;
    last bigint;
BEGIN
    PERFORM FROM shards WHERE owner = batch_owner AND epoch = batch_epoch ORDER BY shard FOR NO KEY UPDATE;
    GET DIAGNOSTICS held = ROW_COUNT;
    IF held <> 16 THEN
        RAISE EXCEPTION 'another scheduler holds the lease: % of 16 shards match', held USING ERRCODE = 'CA001';
    END IF;
    SELECT commit_sequence INTO last FROM shards WHERE shard = 0;
    IF last >= batch_sequence THEN
        RAISE EXCEPTION 'batch % was committed before', batch_sequence USING ERRCODE = 'CA002';
    END IF;
    IF materialized IS NULL AND settled IS NULL AND NOT has_gap THEN
        UPDATE shards SET commit_owner = batch_owner, commit_sequence = batch_sequence WHERE shard = 0;
    ELSE
        UPDATE shards SET
            materialized_through = coalesce(materialized, materialized_through),
            settled_through = coalesce(settled, settled_through),
            gap_from = CASE WHEN has_gap THEN new_gap_from ELSE gap_from END,
            gap_to = CASE WHEN has_gap THEN new_gap_to ELSE gap_to END,
            commit_owner = CASE WHEN shard = 0 THEN batch_owner ELSE commit_owner END,
            commit_sequence = CASE WHEN shard = 0 THEN batch_sequence ELSE commit_sequence END;
    END IF;
END
$$;

-- Takes all shards under a new epoch, if the session that calls can have (or has) the advisory lock. The rows returned are
-- the shards as they are then; `held` says whether they are the caller's.
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

-- Keeps the shards. `held` is false when they are somebody else's.
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

-- ---------------------------------------------------------------------------------------------------- idempotency keys

-- What a repeated POST with the same Idempotency-Key is answered.
CREATE TABLE idempotency_keys (
    operation   text NOT NULL,
    key         text NOT NULL,
    fingerprint text NOT NULL,
    -- The job made, or the execution made.
    answer      uuid NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (operation, key)
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

-- Today and the week ahead.
SELECT carillon_make_day((now() AT TIME ZONE 'UTC')::date + ahead) FROM generate_series(0, 7) AS ahead;
"""##,
            down: ##"""
-- Everything that 001_init made, and all that was recorded since.

DROP TABLE idempotency_keys;
DROP FUNCTION carillon_renew_lease(uuid, bigint, bigint);
DROP FUNCTION carillon_acquire_lease(uuid, text, bigint);
DROP FUNCTION carillon_fence(uuid, bigint, bigint, timestamptz, timestamptz, boolean, timestamptz, timestamptz);
DROP TABLE shards;
DROP FUNCTION carillon_make_day(date);
DROP FUNCTION carillon_make_partition(regclass, date, text);
DROP TABLE execution_attempts;
DROP TABLE job_executions;
DROP TABLE jobs;
DROP TABLE job_count;
DROP FUNCTION carillon_jobs_truncated();
DROP FUNCTION carillon_jobs_changed();
DROP FUNCTION carillon_jobs_inserted();
DROP FUNCTION carillon_count_jobs(bigint);
DROP FUNCTION carillon_job_deleted();
DROP FUNCTION carillon_job_updated();
DROP FUNCTION carillon_first_id(timestamptz);
DROP FUNCTION carillon_shard(uuid);
DROP FUNCTION carillon_new_job_id();
"""##
        ),
        Migration(
            version: 2,
            name: "claims",
            up: ##"""
-- What a leader has to know of the one before: which executions were claimed, whatever has become of their jobs since, and
-- which workers may hold calls.
--
-- Applied when: EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('job_executions') AND attname = 'claimed')

-- The shards first, as every batch has it: a batch on its way is waited for, and cannot wait for this.
-- Written on shard 0, before anything is sent to a worker of that name; NULL: nobody has written it down yet.
ALTER TABLE shards ADD COLUMN workers text[];

-- RUNNING by a claim: the row said so before the only request that may be made was sent.
ALTER TABLE job_executions ADD COLUMN claimed boolean NOT NULL DEFAULT false;
"""##,
            down: ##"""
-- What 002_claims added. Of what runs only the job's execution_type tells then whether it may be sent again.

ALTER TABLE shards DROP COLUMN workers;
ALTER TABLE job_executions DROP COLUMN claimed;
"""##
        ),
        Migration(
            version: 3,
            name: "dispatch_tokens",
            up: ##"""
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
"""##,
            down: ##"""
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
"""##
        ),
        Migration(
            version: 4,
            name: "standbys",
            up: ##"""
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
"""##,
            down: ##"""
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
"""##
        ),
        Migration(
            version: 5,
            name: "fence",
            up: ##"""
-- A batch that takes long must not keep its leader from renewing the lease: until its last statement a batch holds the rows of
-- shards only so that another leader cannot take them.
--
-- Applied when: to_regprocedure('carillon_seal(uuid, bigint, bigint, timestamptz, timestamptz, boolean, timestamptz, timestamptz, text[])') IS NOT NULL

-- The first statement of every batch. CA001: another scheduler has the shards. CA002: this batch, or a later one, was committed
-- before by a session that was given up too early. FOR KEY SHARE lets a renewal pass and makes a new leader wait.
CREATE FUNCTION carillon_fence(batch_owner uuid, batch_epoch bigint, batch_sequence bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    held integer;
    last bigint;
BEGIN
    PERFORM FROM shards WHERE owner = batch_owner AND epoch = batch_epoch ORDER BY shard FOR KEY SHARE;
    GET DIAGNOSTICS held = ROW_COUNT;
    IF held <> 16 THEN
        RAISE EXCEPTION 'another scheduler holds the lease: % of 16 shards match', held USING ERRCODE = 'CA001';
    END IF;
    SELECT commit_sequence INTO last FROM shards WHERE shard = 0;
    IF last >= batch_sequence THEN
        RAISE EXCEPTION 'batch % was committed before', batch_sequence USING ERRCODE = 'CA002';
    END IF;
END
$$;

-- The last statement of every batch. The same batch in two sessions is committed once: the second one waits for the first
-- here, and finds its sequence number.
CREATE FUNCTION carillon_seal(
    batch_owner uuid, batch_epoch bigint, batch_sequence bigint, materialized timestamptz, settled timestamptz,
    has_gap boolean, new_gap_from timestamptz, new_gap_to timestamptz, new_workers text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE shards SET
        commit_owner = batch_owner, commit_sequence = batch_sequence, workers = coalesce(new_workers, workers)
        WHERE shard = 0 AND owner = batch_owner AND epoch = batch_epoch AND commit_sequence < batch_sequence;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % was committed before', batch_sequence USING ERRCODE = 'CA002';
    END IF;
    IF materialized IS NOT NULL OR settled IS NOT NULL OR has_gap THEN
        PERFORM FROM shards ORDER BY shard FOR NO KEY UPDATE;
        UPDATE shards SET
            materialized_through = coalesce(materialized, materialized_through),
            settled_through = coalesce(settled, settled_through),
            gap_from = CASE WHEN has_gap THEN new_gap_from ELSE gap_from END,
            gap_to = CASE WHEN has_gap THEN new_gap_to ELSE gap_to END;
    END IF;
END
$$;
"""##,
            down: ##"""
-- What 005_fence added. A running scheduler of the later version must be stopped before.

DROP FUNCTION carillon_seal(uuid, bigint, bigint, timestamptz, timestamptz, boolean, timestamptz, timestamptz, text[]);
DROP FUNCTION carillon_fence(uuid, bigint, bigint);
"""##
        ),
        Migration(
            version: 6,
            name: "start_deadline",
            up: ##"""
-- How long after its scheduled_time an execution of a job may start.
--
-- Applied when: EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('jobs') AND attname = 'start_deadline_ms')

-- 0: at any time.
ALTER TABLE jobs ADD COLUMN start_deadline_ms integer NOT NULL DEFAULT 0 CHECK (start_deadline_ms >= 0);
"""##,
            down: ##"""
-- What 006_start_deadline added. A running scheduler of the later version must be stopped before.

ALTER TABLE jobs DROP COLUMN start_deadline_ms;
"""##
        ),
        Migration(
            version: 7,
            name: "namespaces",
            up: ##"""
-- Namespaces: names of jobs and idempotency keys are unique within one. Until there are identities, every row has 'default'.
--
-- Applied when: EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('jobs') AND attname = 'namespace')

ALTER TABLE jobs ADD COLUMN namespace text NOT NULL DEFAULT 'default' CHECK (octet_length(namespace) BETWEEN 1 AND 63);
DROP INDEX jobs_name_living;
CREATE UNIQUE INDEX jobs_name_living ON jobs (namespace, name) WHERE deleted_at IS NULL;

ALTER TABLE idempotency_keys
    ADD COLUMN namespace text NOT NULL DEFAULT 'default' CHECK (octet_length(namespace) BETWEEN 1 AND 63);
ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey;
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (namespace, operation, key);
"""##,
            down: ##"""
-- What 007_namespaces added. A running scheduler of the later version must be stopped before. It fails if one name, or one key,
-- is used in two namespaces.

ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey;
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (operation, key);
ALTER TABLE idempotency_keys DROP COLUMN namespace;

DROP INDEX jobs_name_living;
CREATE UNIQUE INDEX jobs_name_living ON jobs (name) WHERE deleted_at IS NULL;
ALTER TABLE jobs DROP COLUMN namespace;
"""##
        ),
        Migration(
            version: 8,
            name: "history",
            up: ##"""
-- A database whose history went back, by a restored backup or a standby without the last commits, may still name the leader
-- whose batches it lost. A later batch of that leader would leave a hole.
--
-- Applied when: to_regprocedure('carillon_fence(uuid, bigint, bigint, bigint)') IS NOT NULL

-- The first statement of every batch. committed is the last batch of this epoch that the leader knows to be durable. CA001:
-- another scheduler has the shards, or that batch is gone. CA002: this batch, or a later one, was committed before.
CREATE FUNCTION carillon_fence(batch_owner uuid, batch_epoch bigint, batch_sequence bigint, committed bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
BEGIN
    PERFORM carillon_fence(batch_owner, batch_epoch, batch_sequence);
    SELECT commit_sequence INTO last FROM shards WHERE shard = 0;
    IF last < committed THEN
        RAISE EXCEPTION 'the history of the database went back: it has batch % of this epoch, and % was committed', last, committed
            USING ERRCODE = 'CA001';
    END IF;
END
$$;
"""##,
            down: ##"""
-- What 008_history added. A running scheduler of the later version must be stopped before.

DROP FUNCTION carillon_fence(uuid, bigint, bigint, bigint);
"""##
        ),
    ]
}
