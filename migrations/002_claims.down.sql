-- What 002_claims added. Of what runs only the job's execution_type tells then whether it may be sent again.

ALTER TABLE shards DROP COLUMN workers;
ALTER TABLE job_executions DROP COLUMN claimed;
