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
