"""Where the links of pages lead: to a service, or to files beside each other.

https://www.rfc-editor.org/rfc/rfc3986#section-4.2
"""

from dataclasses import dataclass
from typing import Protocol


class Addresses(Protocol):
    """What pages of pathways ask for, wherever they lie."""

    @property
    def is_served(self) -> bool:
        """Tell whether a service answers behind the links."""

    @property
    def front(self) -> str:
        """Return the address of the front page."""

    def asset(self, name: str) -> str:
        """Return the address of a style or script."""

    def pathway(self, id: str) -> str:
        """Return the address of the page of a pathway."""

    def picture(self, id: str) -> str:
        """Return the address of its picture."""


@dataclass(frozen=True, slots=True)
class Served:
    """The addresses of a service; `root` is what a proxy puts before its paths."""

    root: str = ""
    is_served = True

    @property
    def front(self) -> str:
        """Return the address of the front page."""
        return f"{self.root}/"

    def asset(self, name: str) -> str:
        """Return the address of a style or script."""
        return f"{self.root}/assets/{name}"

    def pathway(self, id: str) -> str:
        """Return the address of the page of a pathway."""
        return f"{self.root}/pathways/{id}"

    def picture(self, id: str) -> str:
        """Return the address of its picture."""
        return f"{self.root}/pathways/{id}/drawing.svg"


@dataclass(frozen=True, slots=True)
class Files:
    """The addresses of files, seen from one of them; `up` leads to the folder of all of them."""

    up: str = ""
    is_served = False

    @property
    def front(self) -> str:
        """Return the address of the front page."""
        return f"{self.up}index.html"

    def asset(self, name: str) -> str:
        """Return the address of a style or script."""
        return f"{self.up}assets/{name}"

    def pathway(self, id: str) -> str:
        """Return the address of the page of a pathway."""
        return f"{self.up}pathways/{id}.html"

    def picture(self, id: str) -> str:
        """Return the address of its picture."""
        return f"{self.up}pathways/{id}.svg"
