"""The header that tells what a path in a container is."""

import base64
import json
import stat

import pytest

from bridgehead.api.wire.file_facts import go_mode, header
from bridgehead.core.model.files import PathFacts


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (stat.S_IFREG | 0o644, 0o644),
        (stat.S_IFDIR | 0o755, 0x80000000 | 0o755),
        (stat.S_IFDIR | 0o1777, 0x80000000 | 1 << 20 | 0o777),
        (stat.S_IFLNK | 0o777, 1 << 27 | 0o777),
        (stat.S_IFREG | 0o6755, 1 << 23 | 1 << 22 | 0o755),
        (stat.S_IFCHR | 0o666, 1 << 26 | 1 << 21 | 0o666),
        (stat.S_IFBLK | 0o660, 1 << 26 | 0o660),
        (stat.S_IFIFO | 0o600, 1 << 25 | 0o600),
        (stat.S_IFSOCK | 0o600, 1 << 24 | 0o600),
    ],
)
def test_modes_are_told_as_go_keeps_them(mode: int, expected: int):
    assert expected == go_mode(mode)


def test_the_header_is_a_document_in_base_64():
    facts = PathFacts("link", 3, stat.S_IFLNK | 0o777, 1_700_000_000_000_000_005, "/etc")

    assert json.loads(base64.b64decode(header(facts))) == {
        "name": "link",
        "size": 3,
        "mode": 1 << 27 | 0o777,
        "mtime": "2023-11-14T22:13:20.000000005Z",
        "linkTarget": "/etc",
    }
