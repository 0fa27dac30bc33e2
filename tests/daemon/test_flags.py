import json
from pathlib import Path

import pytest

from bridgehead.core.model.errors import InvalidParameter
from bridgehead.daemon.flags import Settings
from bridgehead.daemon.reading import parse


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "daemon.json"


def test_dockerds_flags_by_their_names() -> None:
    settings = parse(
        "-H unix:///a -H unix:///b --data-root /d --exec-root /e -p /p -D -l warn --group g".split()
    )

    assert (
        Settings(("unix:///a", "unix:///b"), "/d", "/e", "/p", debug=True, log_level="warn", group="g")
        == settings
    )


def test_the_file_has_the_same_keys(file: Path) -> None:
    file.write_text(json.dumps({"hosts": ["unix:///a"], "data-root": "/d", "debug": True}))

    settings = parse(["--config-file", str(file), "--exec-root", "/e"])

    assert Settings(("unix:///a",), "/d", "/e", debug=True) == settings


@pytest.mark.parametrize(
    ("content", "flags", "words"),
    [
        ('{"data-root": "/a"}', ["--data-root", "/b"], r"both.*data-root: .from flag: /b, from file: /a."),
        ('{"no-such": 1}', [], "don't match any configuration option: no-such"),
        ('{"plan": true}', [], "don't match any configuration option: plan"),
        ("{", [], "is not JSON"),
        ("[]", [], "one JSON object"),
        ('{"debug": "yes"}', [], "debug: expected true or false, found 'yes'"),
        ('{"hosts": "unix:///a"}', [], "hosts: expected a list of texts"),
        ('{"hosts": ["tcp://0.0.0.0:1"]}', [], "only unix:///absolute/path"),
        ('{"data-root": "relative"}', [], "absolute path"),
        ('{"log-level": "loud"}', [], "log-level 'loud'"),
    ],
)
def test_what_makes_no_sense_is_named(file: Path, content: str, flags: list[str], words: str) -> None:
    file.write_text(content)

    with pytest.raises(InvalidParameter, match=words):
        parse(["--config-file", str(file), *flags])


def test_a_file_that_was_named_must_exist(file: Path) -> None:
    with pytest.raises(InvalidParameter, match="does not exist"):
        parse(["--config-file", str(file)])
