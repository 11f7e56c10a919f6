-- What a leader has to know of the one before: which executions were claimed, whatever has become of their jobs since, and
-- which workers may hold calls.
--
-- Applied when: EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('job_executions') AND attname = 'claimed')

-- The shards first, as every batch has it: a batch on its way is waited for, and cannot wait for this.
-- Written on shard 0, before anything is sent to a worker of that name; NULL: nobody has written it down yet.
ALTER TABLE shards ADD COLUMN workers text[];

-- RUNNING by a claim: the row said so before the only request that may be made was sent.
ALTER TABLE job_executions ADD COLUMN claimed boolean NOT NULL DEFAULT false;
