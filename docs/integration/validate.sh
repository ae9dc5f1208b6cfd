#!/bin/sh
# Is this resource valid FHIR R4?  The answer is an OperationOutcome either way: validate.sh FILE TYPE
set -eu
BASE=${BASE:-http://127.0.0.1:8080/fhir}
FILE=${1:?a file with a resource}
TYPE=${2:-Bundle}
curl --silent --show-error --fail-with-body \
  --header 'Content-Type: application/fhir+json' \
  --data-binary "@$FILE" \
  "$BASE/$TYPE/\$validate"
