-- What 007_namespaces added. A running scheduler of the later version must be stopped before. It fails if one name, or one key,
-- is used in two namespaces.

ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey;
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (operation, key);
ALTER TABLE idempotency_keys DROP COLUMN namespace;

DROP INDEX jobs_name_living;
CREATE UNIQUE INDEX jobs_name_living ON jobs (name) WHERE deleted_at IS NULL;
ALTER TABLE jobs DROP COLUMN namespace;
