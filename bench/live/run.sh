#!/usr/bin/env bash
# Measures with a real broker and an object store: freshness of the engine alone and behind Debezium, and how two processes
# share eight tables. Uses the servers of the e2e lane, which it starts for itself and ends.
# Needs npm, Maven Central, PyPI and Go, a JDK 17 or newer, Maven, and Postgres (installed when root runs this).
# Arguments: freshness, chain, scale-out; default all.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
bash test/e2e/rig/install.sh kafka connect postgres
bash test/e2e/s3/install.sh
bash bench/install.sh
npx tsc -p bench/tsconfig.json

export RIG_STATE
RIG_STATE=$(mktemp -d -t alluvium-bench-XXXXXX)
. test/e2e/rig/rig.sh
mapfile -t ports < <(free_ports 4)
export KAFKA_PORT=${ports[0]} KAFKA_CONTROLLER_PORT=${ports[1]} CONNECT_PORT=${ports[2]} POSTGRES_PORT=${ports[3]}

end_all() {
  local code=$?
  trap - EXIT INT TERM
  bash test/e2e/rig/connect.sh kill
  bash test/e2e/rig/kafka.sh kill
  bash test/e2e/rig/postgres.sh stop
  if [ "$code" = 0 ]; then
    rm -rf "$RIG_STATE"
  else
    echo "bench live: failed; the logs are in $RIG_STATE" >&2
  fi
  exit "$code"
}
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

bash test/e2e/rig/kafka.sh start
node --enable-source-maps .bench/js/bench/live/run.js "$@"
