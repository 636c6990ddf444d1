#!/usr/bin/env bash
# The documentation as a site in build/site: bash scripts/docs.sh [serve]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/environment.sh
. "$here/environment.sh"
environment "${FANBEAM_EXTRAS:-docs}"
cd "$here/.."
export NO_MKDOCS_2_WARNING=1
case "${1:-build}" in
    build) python -m mkdocs build --strict --config-file scripts/docs/mkdocs.yml ;;
    serve) python -m mkdocs serve --config-file scripts/docs/mkdocs.yml ;;
    *)
        echo "usage: bash scripts/docs.sh [serve]" >&2
        exit 2
        ;;
esac
