#!/bin/sh
# Send the data of one patient as a bare Bundle and get a CarePlan: apply-bundle.sh FILE [PLAN]
set -eu
BASE=${BASE:-http://127.0.0.1:8080/fhir}
FILE=${1:?a file with a Bundle}
PLAN=${2:-mst-pathway}
curl --silent --show-error --fail-with-body \
  --header 'Content-Type: application/fhir+json' \
  --header 'Accept: application/fhir+json' \
  --header 'X-Request-Id: example-1' \
  --data-binary "@$FILE" \
  "$BASE/PlanDefinition/$PLAN/\$apply"
