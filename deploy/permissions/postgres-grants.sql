-- Two logins: the connector's, which streams, and alluvium's own, which only looks (slots, proofs). Run as the owner of the
-- database, with psql: psql -v connector_password=… -v reader_password=… -f postgres-grants.sql
-- `alluvium setup postgres` does the same for the tables that it is told of.
create role alluvium_connector login replication password :'connector_password';
create role alluvium_reader login password :'reader_password';

grant usage on schema public to alluvium_connector, alluvium_reader;
grant select on all tables in schema public to alluvium_connector, alluvium_reader;
alter default privileges in schema public grant select on tables to alluvium_connector, alluvium_reader;

-- So that the reader sees slots and what they hold back.
grant pg_monitor to alluvium_reader;

-- Made here, by the tables' owner: the connector's login need not own them (publication.autocreate.mode=disabled).
create publication alluvium_shop for table public.customers, public.orders;
