"""What every `ls` has in common: docker's table, `--format` with `table`, `json` or a template, and `-q`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import click

from bridgehead.cli.format import table
from bridgehead.cli.template_functions import HEADINGS, Row, as_json

format_option = click.option(
    "--format",
    "layout",
    metavar="string",
    help="Format output: 'table', 'table TEMPLATE', 'json', or a Go template for each line",
)
template_option = click.option(
    "-f", "--format", "layout", metavar="string", help="Format output: 'json', or a Go template"
)
platform_option = click.option(
    "--platform", "wanted_platform", metavar="string", help="Of the given platform: os[/arch[/variant]]"
)
no_trunc_option = click.option("--no-trunc", is_flag=True, help="Do not truncate the output")


@dataclass(frozen=True, slots=True)
class Listing:
    """`headings` has every field that a template may name; `columns` are those of the table."""

    headings: Mapping[str, str]
    columns: tuple[str, ...]
    quiet: str = "ID"

    def with_columns(self, *columns: str) -> "Listing":
        return replace(self, columns=columns)

    def show(self, rows: Iterable[Row], layout: str | None, *, quiet: bool = False) -> None:
        """Print one line a row, as `layout` says (None: docker's table)."""
        if layout in {None, "", "table"}:
            print("".join(self._lines(rows, quiet=quiet)), end="")
        elif layout == "json":
            for row in rows:
                print(as_json(row), flush=True)
        else:
            self._show_template(rows, layout or "")

    def _lines(self, rows: Iterable[Row], *, quiet: bool) -> Iterable[str]:
        if quiet:
            return [f"{row[self.quiet]}\n" for row in rows]
        cells = [[str(row[column]) for column in self.columns] for row in rows]
        return table([self.headings[column] for column in self.columns], cells), "\n"

    def _show_template(self, rows: Iterable[Row], layout: str) -> None:
        from bridgehead.cli.template import render

        if not layout.startswith("table "):
            for row in rows:
                print(render(layout, row))
            return
        heading = render(layout, {**self.headings, "Label": _label_heading}, HEADINGS)
        lines = [heading.split("\t"), *(render(layout, row).split("\t") for row in rows)]
        width = max(map(len, lines))
        even = [[*cells, *[""] * (width - len(cells))] for cells in lines]
        print(table(even[0], even[1:]))


def _label_heading(name: str) -> str:
    return name.rpartition(".")[2].replace("-", " ").replace("_", " ")


def label_fields(labels: Mapping[str, str] | None) -> Mapping[str, object]:
    """`Labels`, all as one text, and `Label`, one by its name."""
    known = labels or {}
    return {
        "Labels": ",".join(f"{key}={value}" for key, value in sorted(known.items())),
        "Label": lambda name: known.get(name, ""),
    }
