#!/usr/bin/env bash
# Installs the real parts that the e2e lane talks to, all at pinned versions, below .rig/ (git-ignored):
#
#   .rig/kafka/    the broker: the jars that profile kafka of pom.xml names
#
# Usage: install.sh kafka   A part whose stamp fits the pins is left alone: a warm run costs nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/rig.sh"

missing() {
  echo "e2e rig: $1" >&2
  exit 3
}

need_java() {
  command -v java >/dev/null || missing 'java is missing; Kafka needs 17 or newer, e.g. apt-get install openjdk-17-jre-headless'
  command -v mvn >/dev/null || missing 'mvn is missing; install it with: apt-get install maven'
}

# copy_jars PROFILE FOLDER: built beside its place and moved there when whole.
copy_jars() {
  local stamp target="$RIG/$2"
  stamp=$(sha256sum "$here/pom.xml" | cut -d' ' -f1)
  [ "$(cat "$target/.stamp" 2>/dev/null)" = "$stamp" ] && return
  need_java
  echo "e2e rig: installing $2 (once)" >&2
  rm -rf "$target" "$target.new"
  mkdir -p "$target.new"
  mvn -q -B -f "$here/pom.xml" -P"$1" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$target.new" -DincludeScope=runtime >&2
  echo "$stamp" >"$target.new/.stamp"
  mkdir -p "$(dirname "$target")"
  mv "$target.new" "$target"
}

for part in "$@"; do
  case "$part" in
    kafka) copy_jars kafka kafka ;;
    *) missing "usage: install.sh kafka" ;;
  esac
done
