#!/usr/bin/env bash
# The live lane: Postgres, Debezium, Kafka and an S3 server for real, a workload on them, and an engine that is killed at
# every named step, stopped and joined by a second one meanwhile. In the end the lake must be the database, row for row.
# Needs npm, Maven Central, PyPI and Go, a JDK 17 or newer, Maven, Python 3, and Postgres (installed when root runs this).
# Arguments go to vitest. A run that fails keeps its directory, with all logs, and names it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
[ -d node_modules ] || npm ci --ignore-scripts
bash test/e2e/rig/install.sh kafka connect postgres
bash test/e2e/s3/install.sh
bash test/e2e/readers/install.sh
npm run --silent build

export RIG_STATE
RIG_STATE=$(mktemp -d -t alluvium-live-XXXXXX)
. test/e2e/rig/rig.sh
mapfile -t ports < <(free_ports 4)
export KAFKA_PORT=${ports[0]} KAFKA_CONTROLLER_PORT=${ports[1]} CONNECT_PORT=${ports[2]} POSTGRES_PORT=${ports[3]}

# vitest, and the engines, the S3 server and the readers that it starts: a process group of their own.
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
    echo "e2e live: failed; the logs of all parts are in $RIG_STATE" >&2
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

# What the parts write lies in the one directory that is kept when the run fails.
TMPDIR=$RIG_STATE setsid npx vitest run --config test/e2e/live/vitest.config.ts "$@" &
tests=$!
wait "$tests"
