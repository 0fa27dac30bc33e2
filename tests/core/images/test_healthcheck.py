"""HEALTHCHECK, as a Dockerfile says it."""

import pytest

from bridgehead.core.images.changes import applied
from bridgehead.core.images.config import Process
from bridgehead.core.images.healthcheck import HealthcheckObject
from bridgehead.core.model.errors import InvalidParameter


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("HEALTHCHECK NONE", HealthcheckObject(["NONE"])),
        ("HEALTHCHECK CMD wget -q localhost", HealthcheckObject(["CMD-SHELL", "wget -q localhost"])),
        ("HEALTHCHECK --retries=4 CMD x", HealthcheckObject(["CMD-SHELL", "x"], retries=4)),
        ('HEALTHCHECK CMD ["a", "b"]', HealthcheckObject(["CMD", "a", "b"])),
        (
            "HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=1.5s --start-interval=1s cmd x",
            HealthcheckObject(["CMD-SHELL", "x"], 90 * 10**9, 5 * 10**8, 15 * 10**8, 10**9),
        ),
    ],
)
def test_instruction_is_understood(line: str, expected: HealthcheckObject) -> None:
    assert applied(Process(), [line]).healthcheck == expected


@pytest.mark.parametrize(
    "line",
    [
        "HEALTHCHECK true",
        "HEALTHCHECK CMD",
        "HEALTHCHECK --interval=1 CMD x",
        "HEALTHCHECK --retries=x CMD x",
    ],
)
def test_instruction_that_makes_no_sense_is_refused(line: str) -> None:
    with pytest.raises(InvalidParameter, match="HEALTHCHECK"):
        applied(Process(), [line])
