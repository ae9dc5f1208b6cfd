"""How strongly operators bind.

https://hl7.org/fhirpath/#operator-precedence
"""

TYPE_TEST, UNARY = 8, 12
POWER = {
    "implies": 1,
    "or": 2,
    "xor": 2,
    "and": 3,
    "in": 4,
    "contains": 4,
    "=": 5,
    "~": 5,
    "!=": 5,
    "!~": 5,
    "<": 6,
    ">": 6,
    "<=": 6,
    ">=": 6,
    "|": 7,
    "is": TYPE_TEST,
    "as": TYPE_TEST,
    "+": 9,
    "-": 9,
    "&": 9,
    "*": 10,
    "/": 10,
    "div": 10,
    "mod": 10,
}
"""How strongly each operator binds; higher binds tighter, all are read from the left."""
