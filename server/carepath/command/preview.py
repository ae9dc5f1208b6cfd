"""What a preview shows of a folder: its pages, and above them what the check has found."""

import os
from itertools import count
from pathlib import Path

from carepath.command.check import Report
from carepath.command.pages import content_of
from carepath.command.preview_server import Pages, Shown
from carepath.errors import CarepathError
from carepath.knowledge import Knowledge
from carepath.web.explorer.site import Content, Preview, page_of_nothing, pages_of

_AS_BEFORE = "The folder cannot be shown as it is; the pages are those of before."


class FolderPages:
    """The pages of a folder, made anew after each check."""

    def __init__(self, folder: Path, shown: Shown) -> None:
        self._folder = folder
        self._shown = shown
        self._content = Content(folder.resolve().name, (), (), Knowledge.of(()))
        self._numbers = count(1)

    def renew(self, report: Report) -> None:
        """Show the folder as it is now; where it cannot be read, as it was before, saying so."""
        version = f"{os.getpid()}-{next(self._numbers)}"
        preview = Preview(version, report.lines[:-1], report.lines[-1], report.errors > 0)
        try:
            content = content_of(self._folder)
            files = pages_of(content, preview)
            self._content = content
        except CarepathError as error:
            told = dict.fromkeys((*report.lines, f"error: {error}"))
            preview = Preview(version, tuple(told), _AS_BEFORE, True)
            files = pages_of(self._content, preview)
        name = self._content.name
        self._shown.show(Pages(version, files, lambda path: page_of_nothing(name, path, preview)))
