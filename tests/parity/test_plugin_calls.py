"""We say to a plugin what dockerd was observed to say; and dockerd says it to one made with our SDK."""

import pytest

from tests.support import conversation
from tests.support.bridgehead import bridgehead
from tests.support.oracle import available, oracle
from tests.support.testhost import Host

pytestmark = pytest.mark.host
needs_oracle = pytest.mark.skipif(not available(), reason="no dockerd here: run script/bootstrap --oracle")


@pytest.mark.timeout(120)
def test_our_conversation_is_dockers() -> None:
    with Host() as host, bridgehead(host) as daemon:
        daemon.import_image()

        said, printed = conversation.play(daemon)

    assert "\n".join(said) == conversation.OBSERVED.read_text().strip()
    assert "10.200.0.0/16 via 10.123.0.1" in printed[conversation.COMMANDS.index("exec c1 ip route")]
    for command, words in conversation.REFUSED.items():
        assert printed[conversation.COMMANDS.index(command)].strip().endswith(words)


@needs_oracle
@pytest.mark.timeout(180)
def test_dockers_conversation_is_the_observed_one() -> None:
    with Host() as host, oracle(host) as daemon:
        daemon.import_image()

        said, printed = conversation.play(daemon)

    assert "\n".join(said) == conversation.OBSERVED.read_text().strip()
    assert "10.200.0.0/16 via 10.123.0.1" in printed[conversation.COMMANDS.index("exec c1 ip route")]
    for command, words in conversation.REFUSED.items():
        assert printed[conversation.COMMANDS.index(command)].strip().endswith(words)
