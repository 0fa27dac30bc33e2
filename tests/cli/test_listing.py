import pytest

from bridgehead.cli.listing import Listing, label_fields
from bridgehead.cli.template_functions import Row

LISTING = Listing({"ID": "THING ID", "Name": "NAME", "Labels": "LABELS"}, ("ID", "Name"))
ROWS = [
    Row(ID="1", Name="<one>", **label_fields({"tier": "front", "a": "b"})),
    Row(ID="2", Name="two", **label_fields(None)),
]


@pytest.mark.parametrize(
    ("layout", "quiet", "expected"),
    [
        (None, False, "THING ID   NAME\n1          <one>\n2          two\n"),
        ("table", False, "THING ID   NAME\n1          <one>\n2          two\n"),
        (None, True, "1\n2\n"),
        ("{{.Name}}", True, "<one>\ntwo\n"),
        ('{{.Label "tier"}}|{{.Labels}}', False, "front|a=b,tier=front\n|\n"),
        ("table {{.Name}}\\t{{.Labels}}", False, "NAME      LABELS\n<one>     a=b,tier=front\ntwo       \n"),
        ('table {{upper .Name}}\\t{{.Label "tier"}}', False, "NAME      tier\n<ONE>     front\nTWO       \n"),
        ("{{json .Name}}", False, '"<one>"\n"two"\n'),
    ],
)
def test_rows_are_shown_as_the_format_says(capsys, layout, quiet, expected):
    LISTING.show(ROWS, layout, quiet=quiet)

    assert expected == capsys.readouterr().out


@pytest.mark.parametrize("layout", ["json", "{{json .}}"])
def test_json_rows_are_sorted_with_their_markup_escaped(capsys, layout):
    LISTING.show(ROWS[:1], layout)

    line = '{"ID":"1","Labels":"a=b,tier=front","Name":"\\u003cone\\u003e"}\n'
    assert line == capsys.readouterr().out


def test_nothing_to_show_is_the_headings_alone(capsys):
    LISTING.show([], None)
    LISTING.show([], None, quiet=True)

    assert capsys.readouterr().out == "THING ID   NAME\n"
