#!/bin/sh
# Make the roles of the record with their passwords, and the database: run once by PostgreSQL's image, at the first start.
# What each may do is said by the migrations, which run as the owner.
set -eu
for role in owner app market exchange api admin reader recorder learning notifier events registry backup; do
	eval "password=\${AETHER_$(echo "$role" | tr a-z A-Z)_PASSWORD:?}"
	rights="NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE"
	# Backups copy everything, so they read everything.
	if [ "$role" = backup ]; then rights="REPLICATION BYPASSRLS NOSUPERUSER NOCREATEDB NOCREATEROLE"; fi
	psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --set role="aether_$role" --set password="$password" --dbname postgres <<SQL
CREATE ROLE :"role" LOGIN $rights PASSWORD :'password';
SQL
done
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --dbname postgres <<SQL
GRANT pg_read_all_data TO aether_backup;
CREATE DATABASE aether OWNER aether_owner TEMPLATE template0;
REVOKE ALL ON DATABASE aether FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE aether
	TO aether_owner, aether_app, aether_market, aether_exchange, aether_api, aether_admin, aether_reader,
	aether_recorder, aether_learning, aether_notifier, aether_events, aether_registry, aether_backup;
SQL
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --dbname aether <<SQL
SELECT 'CREATE EXTENSION IF NOT EXISTS timescaledb' FROM pg_available_extensions WHERE name = 'timescaledb' \gexec
SQL
