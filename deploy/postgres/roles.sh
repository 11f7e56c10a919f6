#!/bin/sh
# Runs once, when the postgres image makes a new data directory: gives the database to the ordinary role carillon, and takes
# the superuser's password away. `docker compose exec postgres psql -U postgres` still works, by the socket.
set -eu
exec psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv password CARILLON_PASSWORD
\set database `echo "$POSTGRES_DB"`
\set superuser `echo "$POSTGRES_USER"`
BEGIN;
CREATE ROLE carillon LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
ALTER DATABASE :"database" OWNER TO carillon;
ALTER ROLE :"superuser" PASSWORD NULL;
COMMIT;
SQL
