"""Tables of measurements: for the console, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table as RichTable

Cell = float | int | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key in the rows, its heading, and how numbers are written."""

    key: str
    heading: str
    form: str = ""

    def text(self, value: Cell) -> str:
        """A cell; a dash where there is nothing."""
        if value is None:
            return "-"
        return value if isinstance(value, str) else format(value, self.form)


@dataclass(frozen=True)
class Table:
    """Measurements of one kind.

    Attributes:
        title: what was measured, with its sizes.
        columns: in order; the first names the row.
        rows: key -> value.
        notes: sentences below the table.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Cell]]
    notes: Sequence[str] = ()

    def row(self, name: str) -> Mapping[str, Cell]:
        """The row of that name.

        Raises:
            KeyError: there is none.
        """
        for row in self.rows:
            if row[self.columns[0].key] == name:
                return row
        raise KeyError(name)

    def cells(self) -> list[list[str]]:
        """All cells as text."""
        return [[c.text(row.get(c.key)) for c in self.columns] for row in self.rows]

    def rich(self) -> RichTable:
        """For the console."""
        table = RichTable(title=escape(self.title), title_justify="left", box=None, pad_edge=False)
        for index, column in enumerate(self.columns):
            last = index == len(self.columns) - 1
            table.add_column(
                column.heading,
                justify="right" if index else "left",
                no_wrap=not last,
                overflow="fold",
            )
        for cells in self.cells():
            table.add_row(*map(escape, cells))
        return table

    def markdown(self) -> str:
        """A heading, the table, the notes."""
        heads = [c.heading.replace("\n", " ") for c in self.columns]
        lines = [f"## {self.title}", "", "| " + " | ".join(heads) + " |"]
        lines.append("|---|" + "--:|" * (len(heads) - 1))
        lines += [
            "| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in self.cells()
        ]
        return "\n".join([*lines, "", *(f"{note}\n" for note in self.notes)])

    def to_json(self) -> dict[str, Any]:
        """Title, rows and notes; numbers unrounded."""
        return {
            "title": self.title,
            "columns": {c.key: c.heading.replace("\n", " ") for c in self.columns},
            "rows": [dict(row) for row in self.rows],
            "notes": list(self.notes),
        }
