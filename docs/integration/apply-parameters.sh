#!/bin/sh
# Send Parameters (subject, practitioner, deployment parameters, data): apply-parameters.sh FILE [PLAN]
set -eu
BASE=${BASE:-http://127.0.0.1:8080/fhir}
FILE=${1:?a file with a Parameters resource}
PLAN=${2:-mst-pathway}
curl --silent --show-error --fail-with-body \
  --header 'Content-Type: application/fhir+json' \
  --data-binary "@$FILE" \
  "$BASE/PlanDefinition/$PLAN/\$r5.apply"
