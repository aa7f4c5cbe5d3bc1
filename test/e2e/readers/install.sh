#!/usr/bin/env bash
# Installs the engines that read our tables in the e2e lane: Spark, delta-rs, polars and DuckDB, all at pinned versions.
#
#   .readers/spark/    Python environment: pyspark, delta-spark, deltalake, polars
#   .readers/duckdb/   Python environment: duckdb and its delta extension
#   .readers/jars/     the jars that the pyspark wheel lacks
#
# Each part carries a stamp with the hash of its pins: a part whose stamp fits is left alone, so a warm run costs
# nothing, and a changed pin rebuilds only its own part. A part is built beside its place and moved there when whole.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
readers="$root/.readers"

missing() {
  echo "e2e readers: $1" >&2
  exit 3
}

# python3-venv is a package of its own on Debian; only root may fetch it, and only when it is missing.
need_venv() {
  command -v python3 >/dev/null || missing 'python3 is missing; install Python 3.10 or newer.'
  python3 -c 'import ensurepip, venv' 2>/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq python3-venv >&2 && return
  fi
  missing 'the Python module venv is missing; install it with: apt-get install python3-venv'
}

need_java() {
  command -v java >/dev/null || missing 'java is missing; Spark needs a JDK 17 or newer, e.g. apt-get install openjdk-17-jdk-headless'
  local major
  major=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
  [ "${major:-0}" -ge 17 ] || missing "java is version ${major:-unknown}; Spark needs 17 or newer."
}

need_maven() {
  command -v mvn >/dev/null || missing 'mvn is missing; install it with: apt-get install maven'
}

# stamp_of FILE: what a finished part must carry. Python's own version belongs to it: an environment is bound to it.
stamp_of() {
  { cat "$1"; python3 --version; } | sha256sum | cut -d' ' -f1
}

is_current() { # is_current PART PINS
  [ "$(cat "$readers/$1/.stamp" 2>/dev/null)" = "$(stamp_of "$2")" ]
}

install_python() { # install_python PART PINS
  is_current "$1" "$2" && return
  need_venv
  echo "e2e readers: installing $1 (once)" >&2
  rm -rf "${readers:?}/$1"
  python3 -m venv "$readers/$1"
  "$readers/$1/bin/pip" install --quiet --requirement "$2" >&2
  stamp_of "$2" >"$readers/$1/.stamp"
}

install_jars() {
  is_current jars "$here/pom.xml" && return
  need_maven
  echo 'e2e readers: installing jars (once)' >&2
  rm -rf "$readers/jars"
  mvn -q -B -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$readers/jars" -DincludeScope=runtime >&2
  stamp_of "$here/pom.xml" >"$readers/jars/.stamp"
}

need_java
mkdir -p "$readers"
install_python spark "$here/requirements-spark.txt"
install_python duckdb "$here/requirements-duckdb.txt"
install_jars
