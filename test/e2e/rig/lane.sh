# Sourced by what needs servers of its own: its directory and ports, how all of them start, and that they end with it.
. "$(dirname "${BASH_SOURCE[0]}")/rig.sh"

LANE_TESTS=

# open_lane NAME: a directory and ports that nobody else has; whatever is started in it ends when the script ends. After a
# failure the directory stays, with all logs, and is named.
open_lane() {
  LANE=$1
  export RIG_STATE
  RIG_STATE=$(mktemp -d -t "alluvium-$LANE-XXXXXX")
  local ports
  mapfile -t ports < <(free_ports 6)
  export KAFKA_PORT=${ports[0]} KAFKA_CONTROLLER_PORT=${ports[1]} CONNECT_PORT=${ports[2]} POSTGRES_PORT=${ports[3]}
  export METRICS_PORT=${ports[4]} PROMETHEUS_PORT=${ports[5]}
  trap close_lane EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

close_lane() {
  local code=$?
  trap - EXIT INT TERM
  [ -z "$LANE_TESTS" ] || kill -KILL -- "-$LANE_TESTS" 2>/dev/null || true
  bash "$RIG_SCRIPTS/connect.sh" kill
  bash "$RIG_SCRIPTS/kafka.sh" kill
  bash "$RIG_SCRIPTS/prometheus.sh" stop
  bash "$RIG_SCRIPTS/postgres.sh" stop
  if [ "$code" = 0 ]; then
    rm -rf "$RIG_STATE"
  else
    echo "$LANE: failed; the logs of all parts are in $RIG_STATE" >&2
  fi
  exit "$code"
}

# Those that rows come by: Postgres, Debezium in Connect, Kafka.
start_servers() {
  bash "$RIG_SCRIPTS/kafka.sh" start &
  local broker=$!
  bash "$RIG_SCRIPTS/postgres.sh" start
  wait "$broker"
  bash "$RIG_SCRIPTS/connect.sh" start
}

# run_tests CONFIG [ARGUMENT…]: vitest, with all that it starts, in a process group of its own. What the parts write lies
# in the one directory that is kept when the run fails.
run_tests() {
  local config=$1
  shift
  TMPDIR=$RIG_STATE setsid npx vitest run --config "$config" "$@" &
  LANE_TESTS=$!
  wait "$LANE_TESTS"
}
