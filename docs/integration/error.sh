#!/bin/sh
# What a mistake looks like: an OperationOutcome that names the element, and status 400.
set -eu
BASE=${BASE:-http://127.0.0.1:8080/fhir}
curl --silent --show-error \
  --header 'Content-Type: application/fhir+json' \
  --data '{"resourceType":"Parameters","parameter":[{"name":"patient","valueString":"Patient/1"}]}' \
  --write-out '\n%{http_code}\n' \
  "$BASE/PlanDefinition/mst-pathway/\$apply"
