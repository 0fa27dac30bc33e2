"""docs/daemon.md says of every flag what the table of flags says."""

from pathlib import Path

from bridgehead.daemon.flags import FLAGS, Flag
from bridgehead.daemon.reloading import text

PAGE = Path(__file__).parents[2] / "docs/daemon.md"


def _row(flag: Flag) -> str:
    names = f"`-{flag.short}`, `--{flag.name}`" if flag.short else f"`--{flag.name}`"
    default = text(flag.default)
    cells = (
        names,
        f"`{flag.key}`" if flag.key else "",
        f"`{default}`" if default not in {"", "[]"} else "",
        flag.meaning,
        "yes" if flag.reloads else "",
    )
    return f"| {' | '.join(cells)} |"


def test_the_page_has_one_line_for_every_flag_and_no_other() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]

    assert rows == [_row(flag) for flag in FLAGS]
