"""What every `ls` does with the rows it has: by a template, the identifiers alone, or a table."""

from collections.abc import Iterable, Mapping, Sequence

from bridgehead.cli.format import table

Row = Sequence[str]


def listed(
    columns: Row,
    rows: Sequence[Row],
    fields: Iterable[Mapping[str, object]],
    *,
    layout: str | None,
    quiet: bool,
    identifier: int = 0,
) -> None:
    """`fields`: what a template may name, one for each row. `identifier`: its column; each is said once."""
    if layout:
        from bridgehead.cli.template import render

        for values in fields:
            print(render(layout, values))
    elif quiet:
        print("".join(f"{name}\n" for name in dict.fromkeys(row[identifier] for row in rows)), end="")
    else:
        print(table(columns, rows))
