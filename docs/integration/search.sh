#!/bin/sh
# Which pathways are there?  Their ids, titles and versions, by GET and by form.
set -eu
BASE=${BASE:-http://127.0.0.1:8080/fhir}
curl --silent --show-error --fail-with-body --get \
  --header 'Prefer: handling=strict' \
  --data-urlencode '_elements=title,version' \
  --data-urlencode '_sort=title' \
  "$BASE/PlanDefinition" > /dev/null
curl --silent --show-error --fail-with-body \
  --data-urlencode '_elements=title,version' \
  --data-urlencode '_sort=title' \
  "$BASE/PlanDefinition/_search"
