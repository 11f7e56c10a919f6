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
