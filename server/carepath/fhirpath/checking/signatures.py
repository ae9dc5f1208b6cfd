"""What the functions give and want, as far as the static check uses it.

https://hl7.org/fhirpath/#functions
"""

BOOLEAN_RESULT = frozenset({"System.Boolean"})
SAME = frozenset(
    [
        "where",
        "first",
        "last",
        "tail",
        "skip",
        "take",
        "single",
        "distinct",
        "trace",
        "intersect",
        "exclude",
        "sort",
    ]
)
"""Functions whose result has the types of their input."""
UNORDERED = frozenset({"children", "descendants"})
"""Functions whose result has no order to rely on."""
ORDERED = frozenset({"first", "last", "tail", "skip", "take"})
"""Functions that rely on the order of their input."""
TEXT_INPUT = frozenset(
    [
        "startsWith",
        "endsWith",
        "matches",
        "matchesFull",
        "replace",
        "replaceMatches",
        "substring",
        "upper",
        "lower",
        "indexOf",
        "lastIndexOf",
        "length",
        "toChars",
        "trim",
        "split",
        "encode",
        "decode",
        "escape",
        "unescape",
    ]
)
"""Functions that apply to a string only; `contains` does, too."""
TEXT_INPUT |= {"contains"}

_BOOLEANS = (
    "empty exists all not allTrue anyTrue allFalse anyFalse subsetOf supersetOf isDistinct"
    " startsWith endsWith contains matches matchesFull hasValue memberOf subsumes subsumedBy"
    " conformsTo htmlChecks comparable toBoolean convertsToBoolean convertsToInteger"
    " convertsToLong convertsToDecimal convertsToString convertsToDate convertsToDateTime"
    " convertsToTime convertsToQuantity"
)
_STRINGS = (
    "upper lower trim replace replaceMatches substring join toString encode decode escape unescape"
)
RESULTS: dict[str, str] = {
    **dict.fromkeys(_BOOLEANS.split(), "System.Boolean"),
    **dict.fromkeys(_STRINGS.split(), "System.String"),
    **dict.fromkeys(
        ["count", "length", "indexOf", "lastIndexOf", "toInteger", "precision"], "System.Integer"
    ),
    "toDecimal": "System.Decimal",
    "toLong": "System.Long",
    "toDate": "System.Date",
    "today": "System.Date",
    "toDateTime": "System.DateTime",
    "now": "System.DateTime",
    "toTime": "System.Time",
    "timeOfDay": "System.Time",
    "toQuantity": "System.Quantity",
    "type": "System.TypeInfo",
    "extension": "FHIR.Extension",
}
"""The type of the result where it is always the same."""
del _BOOLEANS, _STRINGS
