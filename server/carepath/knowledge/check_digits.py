"""Whether a code of SNOMED CT or LOINC has the form and the check digit of one.

https://confluence.ihtsdotools.org/display/DOCRELFMT/6.2+SCTID+Representation and
https://loinc.org/kb/faq/structure/
"""

import re

_VERHOEFF_PRODUCT = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_VERHOEFF_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_SNOMED_FORM = re.compile(r"[1-9][0-9]{5,17}")
_LOINC_FORM = re.compile(r"([0-9]{1,7})-([0-9])")
_LOINC_ANSWER_FORM = re.compile(r"LA[0-9]{1,7}-[0-9]")


def is_snomed_code(code: str) -> bool:
    """Tell whether a SNOMED CT identifier has the right form and Verhoeff check digit."""
    if not _SNOMED_FORM.fullmatch(code):
        return False
    check = 0
    for position, digit in enumerate(reversed(code)):
        number = int(digit)
        for _ in range(position % 8):
            number = _VERHOEFF_PERMUTATION[number]
        check = _VERHOEFF_PRODUCT[check][number]
    return check == 0


def is_loinc_code(code: str) -> bool:
    """Tell whether a LOINC code has the right form and mod-10 check digit.

    Answer codes (LA...) count their check digit in another way and are known by form only; parts
    (LP...) are no codes for data and never right.
    """
    if _LOINC_ANSWER_FORM.fullmatch(code):
        return True
    form = _LOINC_FORM.fullmatch(code)
    if form is None:
        return False
    total = 0
    for position, digit in enumerate(reversed(form[1])):
        number = int(digit) * (2 if position % 2 == 0 else 1)
        total += number // 10 + number % 10
    return (10 - total % 10) % 10 == int(form[2])
