#!/bin/sh
# Runs once, when the postgres image creates a new data directory: makes the ordinary role carillon the owner of the database,
# and removes the superuser's password. `docker compose exec postgres psql -U postgres` still works over the socket.
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
