#!/usr/bin/env bash
# Airflow for trials and tests: its core and standard provider in an environment of their own, made once in the cache.
#
#   bash scripts/schedule/airflow.sh COMMAND…      the command, with that environment first in PATH
#
# To look at the DAG in a browser:
#   AIRFLOW_HOME=~/airflow AIRFLOW__CORE__DAGS_FOLDER=$PWD/scripts/schedule bash scripts/schedule/airflow.sh airflow standalone
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/engines/fetch.sh
. "$here/../engines/fetch.sh"
pins=$here/airflow-requirements.txt

make_airflow() {
    "${PYTHON:-python3}" -m venv "$1" || return 1
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$pins" || return 1
    sed -i "1s|$1/|$(engines_cache)/$2/|" "$1"/bin/* # programs name the folder that they were made in
}

if [ $# -eq 0 ]; then
    sed -n '/^#!/d; /^#/!q; s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
python=$("${PYTHON:-python3}" -c 'import sys; print("py%d%d" % sys.version_info[:2])')
name="airflow-$python-$(cksum < "$pins" | cut -d' ' -f1)"
venv=$(once "$name" make_airflow "$name")
PATH="$venv/bin:$PATH" exec "$@"
