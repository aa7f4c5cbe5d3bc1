#!/usr/bin/env bash
# Installs the real parts that the e2e lane talks to, all at pinned versions, below .rig/ (git-ignored):
#
#   .rig/kafka/            the broker: the jars that profile kafka of pom.xml names
#   .rig/connect/          Kafka Connect: the jars of profile connect
#   .rig/connect-plugins/  Debezium's connector for Postgres: the jars of profile debezium-postgres
#
# Postgres, Prometheus and Chromium come from the system's packages. Usage: install.sh kafka|connect|postgres|prometheus|chromium…
# A part whose stamp fits the pins is left alone: a warm run costs nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/rig.sh"

missing() {
  echo "e2e rig: $1" >&2
  exit 3
}

need_java() {
  command -v java >/dev/null || missing 'java is missing; Kafka and Connect need 17 or newer, e.g. apt-get install openjdk-17-jre-headless'
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

# The worker brings these itself; a plugin that carries its own copies finds two of everything.
PROVIDED_BY_CONNECT='connect-api-* connect-json-* kafka-clients-* slf4j-api-* lz4-java-* zstd-jni-* snappy-java-*'

drop_provided_jars() {
  local pattern
  for pattern in $PROVIDED_BY_CONNECT; do find "$1" -name "$pattern.jar" -delete; done
}

# Only root may fetch it, and only when it is missing. Debian would start a server of its own at once: it is told not to.
need_postgres() {
  postgres_bin >/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
      mkdir -p /etc/postgresql-common
      echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    fi
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >&2 && return
  fi
  missing 'Postgres is missing; install version 14 or newer, e.g. apt-get install postgresql'
}

# need_program NAME: of a package of the same name. Debian would start a server of its own: it is told not to.
need_program() {
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    if [ ! -e /usr/sbin/policy-rc.d ]; then
      printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
      chmod +x /usr/sbin/policy-rc.d
      trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >&2 && return
  fi
  missing "$1 is missing; install it with: apt-get install $1"
}

for part in "$@"; do
  case "$part" in
    kafka) copy_jars kafka kafka ;;
    connect)
      copy_jars connect connect
      copy_jars debezium-postgres connect-plugins/debezium-postgres
      drop_provided_jars "$RIG/connect-plugins/debezium-postgres"
      ;;
    postgres) need_postgres ;;
    prometheus | chromium) need_program "$part" ;;
    *) missing "usage: install.sh kafka|connect|postgres|prometheus|chromium" ;;
  esac
done
