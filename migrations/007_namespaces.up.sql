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
