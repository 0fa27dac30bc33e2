from typing import Any

import msgspec
import pytest

from bridgehead.core.folding import folding


class Inner(msgspec.Struct, rename="pascal"):
    name: str = ""


class Outer(msgspec.Struct, rename="pascal"):
    plain: str = ""
    words: str | list[str] | None = None
    inner: Inner = msgspec.field(default_factory=Inner)
    several: list[Inner] = []
    by_name: dict[str, Inner] = {}
    texts: dict[str, list[str]] = {}


@pytest.mark.parametrize(
    ("document", "folded"),
    [
        ({"pLAIN": "x"}, {"Plain": "x"}),
        ({"Plain": None, "Inner": None}, {}),
        ({"Unknown": None, "other": 1}, {"Unknown": None, "other": 1}),
        ({"inner": {"NAME": "x"}}, {"Inner": {"Name": "x"}}),
        ({"Several": [None, {"name": "x"}]}, {"Several": [{}, {"Name": "x"}]}),
        ({"ByName": {"name": None, "NAME": {"name": "x"}}}, {"ByName": {"name": {}, "NAME": {"Name": "x"}}}),
        ({"Texts": {"a": None, "b": [None]}}, {"Texts": {"a": [], "b": [""]}}),
        ({"Words": ["a", None]}, {"Words": ["a", ""]}),
        ({"Inner": 7, "Several": {}}, {"Inner": 7, "Several": {}}),
        ([1], [1]),
    ],
)
def test_documents_are_read_as_go_reads_them(document: Any, folded: Any) -> None:
    assert folded == folding(Outer)(document)
