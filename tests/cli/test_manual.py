import click
import pytest

from bridgehead.cli.manual import roff
from bridgehead.cli.verbs import root


def test_the_manual_has_every_verb_and_its_options(bridgehead):
    page = bridgehead("man").out

    for name in root.list_commands(click.Context(root)):
        command = root.get_command(click.Context(root), name)
        if not isinstance(command, click.Group) and name not in {"images", "rmi"}:
            assert f"\n.SS {name}\n" in page
    assert "\n.SS network create\n" in page
    assert "\\-\\-aux\\-address NAME=ADDRESS\n" in page
    assert "bridgehead network connect \\-\\-ip 10.1.0.7" in page


def test_every_request_in_it_is_meant(bridgehead):
    requests = {line.split()[0] for line in bridgehead("man").out.splitlines() if line.startswith((".", "'"))}

    assert requests == {".TH", ".SH", ".SS", ".TP", ".B", ".BR", ".PP", ".RS", ".RE", ".EX", ".EE", ".br"}


@pytest.mark.parametrize(
    ("text", "expected"), [(".hidden", "\\&.hidden"), ("a-b", "a\\-b"), ("'x' \\t", "\\&\\(aqx\\(aq \\et")]
)
def test_text_stays_text(text, expected):
    assert expected == roff(text)
