#!/usr/bin/env bash
# An Azure Blob Storage server on this machine, out of a package: for tests, benchmarks and trials.
#
#   eval "$(bash scripts/stores/azure.sh up)"   starts it and sets what a client needs; the container is $FANBEAM_STORE
#   bash scripts/stores/azure.sh status         the same lines again; exit code 3 if it does not run
#   bash scripts/stores/azure.sh down           ends it; what was stored is gone
#
#   --server NAME   azurite (npm)
#   --port PORT     [a free one]
#   --dir DIR       where it keeps its log  [~/.local/state/fanbeam/stores/azure]
#
# It listens on the loopback interface only and keeps everything in memory.
# FANBEAM_STORE_KEY and FANBEAM_STORE_SECRET (base64) set another account than the well-known one of the emulator.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/stores/server.sh
. "$here/server.sh"
kind=azure
default=azurite
AZURITE_VERSION=3.37.0
account=${FANBEAM_STORE_KEY:-devstoreaccount1}
# The documented key of every emulator, no secret.
key=${FANBEAM_STORE_SECRET:-Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==}

bucket_url() { echo "az://$BUCKET"; }

variables() {
    local endpoint="http://127.0.0.1:$port/$account"
    cat << LINES
AZURE_STORAGE_ACCOUNT_NAME=$account
AZURE_STORAGE_ACCOUNT_KEY=$key
AZURE_STORAGE_CONNECTION_STRING=DefaultEndpointsProtocol=http;AccountName=$account;AccountKey=$key;BlobEndpoint=$endpoint;
LINES
}

install_azurite() { from_npm "$1" "azurite@$AZURITE_VERSION"; }

start_azurite() {
    local folder
    folder=$(once "azurite-$AZURITE_VERSION" install_azurite)
    AZURITE_ACCOUNTS="$account:$key" start node --no-deprecation "$folder/node_modules/azurite/dist/src/blob/main.js" \
        --inMemoryPersistence --skipApiVersionCheck --disableTelemetry --silent --blobHost 127.0.0.1 --blobPort "$port"
}

main "$@"
