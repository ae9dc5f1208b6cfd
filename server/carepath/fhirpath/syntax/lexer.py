"""From the text of an expression to its tokens.

https://hl7.org/fhirpath/grammar.html
"""

import re

from carepath.errors import ExpressionSyntaxError

Token = tuple[str, str, int]
"""Kind, text and offset.  The kind of an operator or keyword is the text itself."""

END = "the end of the expression"

# The alternatives stand in the order of how often they win; a comment must come before `/`.
_TOKEN = re.compile(
    r"""
    [ \t\r\n]+ | //[^\r\n]* | /\*(?:[^*]|\*(?!/))*\*/
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<comment>/\*)
  | (?P<op><=|>=|!=|!~|[.()\[\]{},:=~<>|&+\-*/])
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<number>[0-9]+(?:\.[0-9]+)?)
  | (?P<variable>%(?:[A-Za-z_][A-Za-z0-9_]*|`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'))
  | (?P<special>\$(?:this|index|total)(?![A-Za-z0-9_]))
  | (?P<quoted>`(?:[^`\\]|\\.)*`)
  | (?P<moment>@(?:T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?
        | [0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?
          (?:T(?:[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?:Z|[+\-][0-9]{2}:[0-9]{2})?)?)?))
  | (?P<bad>.)
    """,
    re.VERBOSE | re.DOTALL,
)

KEYWORDS = frozenset(
    ["and", "or", "xor", "implies", "div", "mod", "is", "as", "in", "contains", "true", "false"]
)

_BAD = {
    "'": "a closing quote for this string",
    "`": "a closing backtick for this name",
    "%": "a name after `%`",
    "$": "`$this`, `$index` or `$total`",
    "@": "a date or time such as `@2026-03-31` or `@T14:30`",
    "!": "`!=` or `!~`",
}
_ESCAPES = {
    "'": "'",
    '"': '"',
    "`": "`",
    "r": "\r",
    "n": "\n",
    "t": "\t",
    "f": "\f",
    "/": "/",
    "\\": "\\",
}
_UNREADABLE = frozenset({"bad", "comment"})
_UNIT = r"u[0-9a-fA-F]{4}"
_PAIR = r"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"\\({_PAIR}|{_UNIT}|.)", re.DOTALL)


def tokens(text: str) -> list[Token]:
    """Return the tokens of `text`, ended by one of kind END."""
    found: list[Token] = []
    add = found.append
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is None:
            continue
        word = match.group()
        if kind == "op" or (kind == "word" and word in KEYWORDS):
            add((word, word, match.start()))
        elif kind in _UNREADABLE:
            raise _unreadable(text, word, match.start())
        else:
            add((kind, word, match.start()))
    add((END, "", len(text)))
    return found


def unescape(text: str, quoted: str, offset: int) -> str:
    """Return the meaning of a quoted text without its quotes; `offset` is where it stands."""
    inner = quoted[1:-1]
    if "\\" not in inner:
        return inner

    def meaning(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] != "u":
            return _ESCAPES.get(code, code)
        try:
            return _character(code)
        except ValueError:
            raise ExpressionSyntaxError(
                text, offset + match.start() + 2, r"a character such as `\u00e4` or `\ud83d\ude00`"
            ) from None

    return _ESCAPE.sub(meaning, inner)


def _character(code: str) -> str:
    """Return the character of `u00e4`, or of two such that are its halves; raises ValueError."""
    found = bytes.fromhex(code.replace("\\u", "")[1:]).decode("utf-16-be")
    if not found:
        raise ValueError(code)
    return found


def _unreadable(text: str, word: str, offset: int) -> ExpressionSyntaxError:
    if word == "/*":
        return ExpressionSyntaxError(text, offset + 1, "`*/` at the end of this comment")
    return ExpressionSyntaxError(text, offset + 1, _BAD.get(word, "a FHIRPath expression"))
