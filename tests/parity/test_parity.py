"""The same docker commands on the reference daemon and on ours, side by side on sibling machines."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.parity.comparison import compare
from tests.parity.session import play
from tests.parity.sessions import DIFFERENCES, SCENARIOS
from tests.support.bridgehead import bridgehead
from tests.support.oracle import available, oracle

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(not available(), reason="no dockerd here: run script/bootstrap --oracle"),
]

# The reference against itself: that tells whether an unexplained difference is the harness's own fault.
SELF = os.environ.get("PARITY_SELF") == "1"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_session_matches_docker(scenario: str) -> None:
    commands = SCENARIOS[scenario]

    with ThreadPoolExecutor(2) as both:
        reference = both.submit(play, oracle, commands)
        actual = both.submit(play, oracle if SELF else bridgehead, commands)
    comparison = compare(reference.result(), actual.result(), () if SELF else DIFFERENCES.get(scenario, ()))

    assert comparison.report == ""
