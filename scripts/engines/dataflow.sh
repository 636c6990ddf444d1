#!/usr/bin/env bash
# fanbeam on Google Cloud Dataflow: what is missing, image and template, a run, a launch of the template.
#
#   bash scripts/engines/dataflow.sh check [OPTIONS]                 what is missing, one line each; exit code 2 if anything is
#   bash scripts/engines/dataflow.sh run [OPTIONS] -- CONFIG […]     fanbeam run from here, with its own and Beam's options
#   bash scripts/engines/dataflow.sh build [OPTIONS]                 image and Flex Template, by Docker or Cloud Build
#   bash scripts/engines/dataflow.sh launch [OPTIONS] -- NAME=VALUE… a job of the template with these parameters, e.g.
#                                                                    config=gs://BUCKET/birds.yaml copies=8
#   --project P       [gcloud's own, or GOOGLE_CLOUD_PROJECT]
#   --region R        [gcloud's own for Dataflow or compute, or CLOUDSDK_COMPUTE_REGION]
#   --bucket B        for staging and the template, without gs://  [FANBEAM_BUCKET]
#   --repository N    of Artifact Registry, for the image  [fanbeam]
#   --tag T           of image and template  [the commit of this checkout]
#   --extras E        of fanbeam in the image  [dataflow,gcs]
#   --python PYTHON   that has fanbeam  [.venv of this checkout, else python3]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)

command=${1:-}
[ $# -eq 0 ] || shift
project="" region="" bucket=${FANBEAM_BUCKET:-} repository=fanbeam tag="" extras=dataflow,gcs python=""
while [ $# -gt 0 ]; do
    case $1 in
        --project) project=$2 ;;
        --region) region=$2 ;;
        --bucket) bucket=${2#gs://} ;;
        --repository) repository=$2 ;;
        --tag) tag=$2 ;;
        --extras) extras=$2 ;;
        --python) python=$2 ;;
        --)
            shift
            break
            ;;
        *)
            command=usage
            break
            ;;
    esac
    shift $(($# > 1 ? 2 : 1))
done
if [ -z "$python" ]; then
    python=$top/.venv/bin/python
    [ -x "$python" ] || python=python3
fi

# settle: what is not given comes from the environment, then from gcloud's own settings.
settle() {
    [ -n "$project" ] || project=${GOOGLE_CLOUD_PROJECT:-$(setting core/project)}
    [ -n "$region" ] || region=${CLOUDSDK_COMPUTE_REGION:-$(setting dataflow/region)}
    [ -n "$region" ] || region=$(setting compute/region)
    [ -n "$tag" ] || tag=$(git -C "$top" rev-parse --short=12 HEAD 2> /dev/null || echo latest)
    image=$region-docker.pkg.dev/$project/$repository/fanbeam:$tag
    template=gs://$bucket/templates/fanbeam-$tag.json
}

setting() {
    gcloud config get-value "$1" 2> /dev/null || true
}

# missing gcloud|credentials|place|bucket|repository…: a line for each of these that is not there.
missing() {
    local what
    for what in "$@"; do "no_$what"; done
}

no_gcloud() {
    command -v gcloud > /dev/null || echo "gcloud: is not installed; see https://cloud.google.com/sdk/docs/install"
}

no_credentials() {
    "$python" -c 'import google.auth; google.auth.default()' 2> /dev/null ||
        echo "credentials: none here; gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS"
}

no_login() {
    gcloud auth print-access-token > /dev/null 2>&1 || echo "login: gcloud has none; gcloud auth login"
}

no_place() {
    [ -n "$project" ] || echo "project: give --project, or gcloud config set project"
    [ -n "$region" ] || echo "region: give --region, or gcloud config set dataflow/region"
}

no_bucket() {
    if [ -z "$bucket" ]; then
        echo "bucket: give --bucket, or set FANBEAM_BUCKET"
    else
        gcloud storage buckets describe "gs://$bucket" > /dev/null 2>&1 ||
            echo "bucket: no gs://$bucket, or not yours; gcloud storage buckets create gs://$bucket --location $region"
    fi
}

no_repository() {
    [ -n "$project" ] && [ -n "$region" ] || return 0 # told already
    gcloud artifacts repositories describe "$repository" --project "$project" --location "$region" > /dev/null 2>&1 ||
        echo "repository: no $repository; gcloud artifacts repositories create $repository --repository-format docker --location $region"
}

# needs WHAT…: ends the script with a line for each that is missing. Without gcloud the others cannot be looked for.
needs() {
    local found
    found=$(missing gcloud)
    if [ -z "$found" ]; then
        settle
        found=$(missing place "$@")
    fi
    [ -z "$found" ] || {
        echo "$found" >&2
        exit 2
    }
}

check() {
    needs credentials login bucket repository
    echo "nothing is missing: project $project, region $region, gs://$bucket, repository $repository"
}

run() {
    needs credentials login bucket
    PYTHONPATH="$top${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -c 'from pipeline.cli.program import console; console()' \
        run "$@" --runner dataflow --project "$project" --region "$region" --temp_location "gs://$bucket/tmp"
}

build() {
    needs login bucket repository
    if docker info > /dev/null 2>&1; then
        gcloud auth configure-docker --quiet "$region-docker.pkg.dev"
        docker build --build-arg "IMAGE=$image" --build-arg "EXTRAS=$extras" --tag "$image" "$top"
        docker push "$image"
    else
        gcloud builds submit "$top" --project "$project" --config "$here/flex_template/cloudbuild.yaml" \
            --substitutions "^;^_IMAGE=$image;_EXTRAS=$extras"
    fi
    gcloud dataflow flex-template build "$template" --project "$project" --image "$image" --sdk-language PYTHON \
        --metadata-file "$here/flex_template/metadata.json"
    echo "image    $image"
    echo "template $template"
}

launch() {
    local parameter parameters=""
    needs login bucket
    for parameter in "$@"; do parameters=$parameters${parameters:+;}$parameter; done
    gcloud dataflow flex-template run "fanbeam-$(date -u +%Y%m%d-%H%M%S)" --project "$project" --region "$region" \
        --template-file-gcs-location "$template" --staging-location "gs://$bucket/staging" --temp-location "gs://$bucket/tmp" \
        --parameters "^;^$parameters"
}

case $command in
    check | run | build | launch) "$command" "$@" ;;
    *)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
esac
