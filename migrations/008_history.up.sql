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
