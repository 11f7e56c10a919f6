-- What 005_fence added. A running scheduler of the later version must be stopped before.

DROP FUNCTION carillon_seal(uuid, bigint, bigint, timestamptz, timestamptz, boolean, timestamptz, timestamptz, text[]);
DROP FUNCTION carillon_fence(uuid, bigint, bigint);
