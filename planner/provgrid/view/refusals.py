"""What the page answers where it does not do what was asked: a status of HTTP, and one sentence with the next step."""

from __future__ import annotations

from provgrid.report.texts import texts
from provgrid_models.errors import ProvgridError


class RefusedError(ProvgridError):
    """A request that is not served. `key` names its sentence among the texts `view.refused`, `values` fill it."""

    exit_code = 2

    def __init__(self, status: int, key: str, **values: object) -> None:
        self.status, self.key, self.values = status, key, values
        super().__init__(self.text("en"))

    def text(self, lang: str) -> str:
        """Return the sentence in a language."""
        return texts(lang)(f"view.refused.{self.key}", **self.values)
