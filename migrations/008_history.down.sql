-- What 008_history added. A running scheduler of the later version must be stopped before.

DROP FUNCTION carillon_fence(uuid, bigint, bigint, bigint);
