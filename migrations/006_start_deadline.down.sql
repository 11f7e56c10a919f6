-- What 006_start_deadline added. A running scheduler of the later version must be stopped before.

ALTER TABLE jobs DROP COLUMN start_deadline_ms;
