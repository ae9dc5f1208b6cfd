#!/bin/sh
# Send a Bundle with any number of patients and get the CarePlans of all pathways: apply-pathways.sh FILE
set -eu
BASE=${BASE:-http://127.0.0.1:8080/fhir}
FILE=${1:?a file with a Bundle}
gzip --stdout "$FILE" | curl --silent --show-error --fail-with-body --compressed \
  --header 'Content-Type: application/fhir+json' \
  --header 'Content-Encoding: gzip' \
  --data-binary @- \
  "$BASE/\$apply-pathways"
