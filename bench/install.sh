#!/usr/bin/env bash
# Installs what `make bench` needs beside the engine, from PyPI at pinned versions, below .bench/: the peer delta-rs, the
# readers, and what the generator is made of. A finished environment carries a stamp of its pins and is left alone.
#
# Spark takes part when `make e2e` has installed it (.readers/): it needs a JDK and jars from Maven.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
environment="$here/../.bench/venv"
stamp=$({ cat "$here/requirements.txt"; python3 --version; } | sha256sum | cut -d' ' -f1)

[ "$(cat "$environment/.stamp" 2>/dev/null)" = "$stamp" ] && exit
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  echo 'bench: the Python module venv is missing; install it with: apt-get install python3-venv' >&2
  exit 3
fi
echo 'bench: installing delta-rs, DuckDB and pyarrow (once)' >&2
rm -rf "$environment"
python3 -m venv "$environment"
"$environment/bin/pip" install --quiet --requirement "$here/requirements.txt" >&2
echo "$stamp" >"$environment/.stamp"
