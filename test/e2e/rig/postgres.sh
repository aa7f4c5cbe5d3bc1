#!/usr/bin/env bash
# One Postgres that logs logically, its cluster in $RIG_STATE/postgres: postgres.sh start|stop|wipe
# Whoever connects from this machine is believed to be who they say; the superuser is `postgres`.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/rig.sh"

home="$RIG_STATE/postgres"
bin=$(postgres_bin) || fail 'Postgres is not installed: run install.sh postgres'

# Postgres refuses to run as root: then it runs as the account `postgres`, which must be able to enter the directory.
as_server() {
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

make_cluster() {
  mkdir -p "$home"
  if [ "$(id -u)" = 0 ]; then
    chown postgres: "$home"
    chmod a+x "$RIG_STATE"
    as_server test -w "$home" || fail "the account postgres cannot enter $home: set RIG_STATE to a directory that all may pass"
  fi
  as_server "$bin/initdb" -D "$home/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$RIG_STATE/initdb.log" 2>&1 ||
    { cat "$RIG_STATE/initdb.log" >&2; fail 'initdb failed'; }
  # The data is thrown away after the run, so nothing waits for a disk.
  as_server tee -a "$home/data/postgresql.conf" >/dev/null <<S
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = logical
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 64MB
max_connections = 60
timezone = 'UTC'
logging_collector = off
S
}

start() {
  if [ ! -f "$home/data/PG_VERSION" ]; then make_cluster; fi
  if running; then return; fi
  as_server "$bin/pg_ctl" -D "$home/data" -l "$home/postgres.log" -o "-p $POSTGRES_PORT" -w -t 60 start >/dev/null || {
    tail -n 20 "$home/postgres.log" >&2
    fail 'postgres did not start'
  }
}

running() {
  as_server "$bin/pg_ctl" -D "$home/data" status >/dev/null 2>&1
}

# Its own tool finds the process by the cluster, and can end no other.
stop() {
  if running; then as_server "$bin/pg_ctl" -D "$home/data" -m immediate -w -t 30 stop >/dev/null; fi
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  wipe)
    stop
    rm -rf "$home"
    ;;
  *) fail 'usage: postgres.sh start|stop|wipe' ;;
esac
