"""The Markdown of cards as HTML: paragraphs, lists, bold, italics, links of our own, escapes.

https://github.github.com/gfm/

It reads what `cds_hooks/details` writes, and no more; what is anything else stays text.
"""

import re

from markupsafe import Markup, escape

_PART = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|&#8203;(?P<nothing>)"
    r"|\*\*(?P<bold>(?:\\.|[^*\\])+)\*\*"
    r"|\*(?P<italic>(?:\\.|[^*\\])+)\*"
    r"|\[(?P<label>(?:\\.|[^\]\\])+)\]\((?P<url>[^()\s]+)\)"
)
_ITEM = "- "


def html_of(text: str, home: str, root: str) -> Markup:
    """Return a text as HTML; a link to `home` leads to `root` instead, another one nowhere."""
    blocks = (block.split("\n") for block in text.split("\n\n"))
    return Markup("\n").join(_block(lines, home, root) for lines in blocks)


def _block(lines: list[str], home: str, root: str) -> Markup:
    """Return a paragraph, with the list that follows it if there is one."""
    words = [_inline(line, home, root) for line in lines if not line.startswith(_ITEM)]
    items = [
        _inline(line.removeprefix(_ITEM), home, root) for line in lines if line.startswith(_ITEM)
    ]
    made = Markup("<p>{}</p>").format(Markup(" ").join(words)) if words else Markup("")
    if not items:
        return made
    return made + Markup("<ul>{}</ul>").format(
        Markup("").join(Markup("<li>{}</li>").format(item) for item in items)
    )


def _inline(line: str, home: str, root: str) -> Markup:
    made, end = Markup(""), 0
    for found in _PART.finditer(line):
        made += escape(line[end : found.start()]) + _part(found, home, root)
        end = found.end()
    return made + escape(line[end:])


def _part(found: re.Match[str], home: str, root: str) -> Markup:
    kind = found.lastgroup
    if kind == "bold":
        return Markup("<strong>{}</strong>").format(_inline(found["bold"], home, root))
    if kind == "italic":
        return Markup("<em>{}</em>").format(_inline(found["italic"], home, root))
    if kind == "url":
        label = _inline(found["label"], home, root)
        return Markup('<a href="{}">{}</a>').format(local(found["url"], home, root), label)
    return escape(found["escaped"] or "")


def local(url: str, home: str, root: str) -> str:
    """Return where a link of ours leads on this page; `#` for one of anybody else."""
    return root + url.removeprefix(home) if home and url.startswith(f"{home}/") else "#main"
