"""Lists of processors: what control groups take, and what is refused before they see it."""

import pytest

from bridgehead.api.wire.processors import checked
from bridgehead.core.model.errors import InvalidParameter


@pytest.mark.parametrize("text", ["", "0", "0-0", "0,0"])
def test_what_control_groups_take(text: str) -> None:
    assert checked(text, "cpus") == checked(text, "mems") == text


@pytest.mark.parametrize("text", ["é", "0-", "-1", "1-0", "0,,0", " 0", "0\n", "9" * 500, "\u0661"])
def test_what_is_no_list(text: str) -> None:
    for kind in ("cpus", "mems"):
        with pytest.raises(InvalidParameter, match=f"for cpuset {kind}"):
            checked(text, kind)


def test_processors_of_another_machine() -> None:
    with pytest.raises(InvalidParameter, match="Requested CPUs are not available - requested 0-99999"):
        checked("0-99999", "cpus")
