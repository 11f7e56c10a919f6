-- How long after its scheduled_time an execution of a job may start.
--
-- Applied when: EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('jobs') AND attname = 'start_deadline_ms')

-- 0: at any time.
ALTER TABLE jobs ADD COLUMN start_deadline_ms integer NOT NULL DEFAULT 0 CHECK (start_deadline_ms >= 0);
