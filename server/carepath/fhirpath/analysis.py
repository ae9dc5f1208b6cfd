"""Static checks (stub)."""


def analyse(text, ast, input_type, *, strict_order=False):
    pass
