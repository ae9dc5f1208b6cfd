"""Definitions as the `json` module reads them: numbers with a fraction are floats.

https://docs.python.org/3/library/json.html#json-to-py-table
"""

import json

from small import NOW, PATIENT

from carepath import ApplyRequest, Knowledge, Record, apply_plan
from carepath.formats.json import encode

TEXT = """{"resourceType": "PlanDefinition", "id": "p", "url": "http://x/PlanDefinition/p",
 "status": "draft", "action": [{"title": "Weigh", "timingDuration": {"value": 1.5, "unit": "h",
 "system": "http://unitsofmeasure.org", "code": "h"}}]}"""


def test_a_definition_read_by_json_is_applied() -> None:
    knowledge = Knowledge.of([json.loads(TEXT)])
    request = ApplyRequest(knowledge.plan("p"), Record.of(PATIENT), NOW)
    answer = json.loads(encode(apply_plan(request, knowledge).care_plan()))
    assert answer["contained"][0]["action"][0]["timingDuration"]["value"] == 1.5
