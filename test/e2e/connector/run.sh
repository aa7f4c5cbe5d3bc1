#!/usr/bin/env bash
# From an empty Postgres to rows in the lake, by our own commands alone: setup, connector, doctor, ingest; then each hop
# is broken, and doctor has to name it. Needs npm and Maven Central, a JDK 17 or newer, Maven, and Postgres (installed
# when root runs this). Arguments go to vitest. A run that fails keeps its directory, with all logs, and names it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
[ -d node_modules ] || npm ci --ignore-scripts
bash test/e2e/rig/install.sh kafka connect postgres

export RIG_STATE
RIG_STATE=$(mktemp -d -t alluvium-connector-XXXXXX)
. test/e2e/rig/rig.sh
mapfile -t ports < <(free_ports 4)
export KAFKA_PORT=${ports[0]} KAFKA_CONTROLLER_PORT=${ports[1]} CONNECT_PORT=${ports[2]} POSTGRES_PORT=${ports[3]}
# What the connector's reference to a secret stands for; Postgres believes whoever comes from this machine.
export CDC_REPL_PASSWORD=canary-of-the-connector

tests=
end_all() {
  local code=$?
  trap - EXIT INT TERM
  [ -z "$tests" ] || kill -KILL -- "-$tests" 2>/dev/null || true
  bash test/e2e/rig/connect.sh kill
  bash test/e2e/rig/kafka.sh kill
  bash test/e2e/rig/postgres.sh stop
  if [ "$code" = 0 ]; then
    rm -rf "$RIG_STATE"
  else
    echo "e2e connector: failed; the logs of all parts are in $RIG_STATE" >&2
  fi
  exit "$code"
}
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

bash test/e2e/rig/kafka.sh start &
broker=$!
bash test/e2e/rig/postgres.sh start
wait "$broker"
bash test/e2e/rig/connect.sh start

TMPDIR=$RIG_STATE setsid npx vitest run --config test/e2e/connector/vitest.config.ts "$@" &
tests=$!
wait "$tests"
