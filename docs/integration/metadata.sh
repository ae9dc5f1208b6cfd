#!/bin/sh
# What can this service do?  The first thing that every FHIR client asks.
set -eu
BASE=${BASE:-http://127.0.0.1:8080/fhir}
curl --silent --show-error --fail-with-body \
  --header 'Accept: application/fhir+json' \
  "$BASE/metadata?_summary=true"
