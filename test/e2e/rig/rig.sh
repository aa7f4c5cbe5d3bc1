# Sourced by the scripts beside it: where things lie, and how a server is started and ended.
# Everything listens on 127.0.0.1. A state directory (RIG_STATE) holds data, logs and process ids of one set of servers.
RIG_SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RIG=$(cd "$RIG_SCRIPTS/../../.." && pwd)/.rig
RIG_STATE=${RIG_STATE:-$RIG/state}
KAFKA_PORT=${KAFKA_PORT:-19092}
KAFKA_CONTROLLER_PORT=${KAFKA_CONTROLLER_PORT:-$((KAFKA_PORT + 1))}
CONNECT_PORT=${CONNECT_PORT:-18083}
POSTGRES_PORT=${POSTGRES_PORT:-15432}
JAVA_OPTIONS=(-XX:+UseSerialGC -Djava.net.preferIPv4Stack=true "-Dlog4j2.configurationFile=$RIG_SCRIPTS/log4j2.properties")

fail() {
  echo "e2e rig: $1" >&2
  exit 1
}

# Where the newest Postgres of this machine keeps its programs; Debian does not put them on the path.
postgres_bin() {
  local found
  found=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  [ -n "$found" ] || found=$(command -v initdb) || return 1
  dirname "$found"
}

# free_ports N: so many ports of this machine that nobody listens on, one a line
free_ports() {
  node -e '
    const { createServer } = require("node:net")
    const servers = Array.from({ length: Number(process.argv[1]) }, () => createServer().listen(0, "127.0.0.1"))
    const listening = servers.map((server) => new Promise((done) => server.once("listening", done)))
    Promise.all(listening).then(() => {
      for (const server of servers) { console.log(server.address().port); server.close() }
    })' "$1"
}

# The start time of a process, so that a number which the system gave to another process later is not taken for ours.
started_at() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  echo "$stat" | cut -d' ' -f20
}

# runs NAME: the process that we started under this name still runs
runs() {
  local pid since
  read -r pid since 2>/dev/null <"$RIG_STATE/$1.pid" || return 1
  [ "$(started_at "$pid")" = "$since" ]
}

# launch NAME COMMAND…: in the background, in a session of its own
launch() {
  local name=$1
  shift
  runs "$name" && return
  mkdir -p "$RIG_STATE"
  setsid nohup "$@" >"$RIG_STATE/$name.log" 2>&1 </dev/null &
  echo "$! $(started_at $!)" >"$RIG_STATE/$name.pid"
}

# halt NAME [SIGNAL]: ends it; one that does not go within 20 s is killed
halt() {
  local pid i
  if runs "$1"; then
    read -r pid _ <"$RIG_STATE/$1.pid"
    kill "-${2:-TERM}" "$pid"
    for ((i = 0; i < 200; i++)); do
      runs "$1" || break
      sleep 0.1
    done
    if runs "$1"; then kill -KILL "$pid"; fi
  fi
  rm -f "$RIG_STATE/$1.pid"
}

# await NAME SECONDS COMMAND…: until the command succeeds; fails at once when the process has died
await() {
  local name=$1 end=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ! runs "$name" || [ $SECONDS -ge $end ]; then
      tail -n 20 "$RIG_STATE/$name.log" >&2 || true
      fail "$name did not become ready"
    fi
    sleep 0.2
  done
}
