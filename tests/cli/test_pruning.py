import io
import json

import pytest

from tests.cli.scripted import says

ANSWERS = {
    "container": ("/containers/prune", {"ContainersDeleted": ["a", "b"], "SpaceReclaimed": 2500}),
    "image": (
        "/images/prune",
        {"ImagesDeleted": [{"Untagged": "box:v1"}, {"Deleted": "sha256:1"}], "SpaceReclaimed": 500},
    ),
    "volume": ("/volumes/prune", {"VolumesDeleted": None, "SpaceReclaimed": 0}),
    "network": ("/networks/prune", {"NetworksDeleted": ["back"]}),
}
SHOWN = {
    "container": "Deleted Containers:\na\nb\n\nTotal reclaimed space: 2.5kB\n",
    "image": "Deleted Images:\nuntagged: box:v1\ndeleted: sha256:1\n\nTotal reclaimed space: 500B\n",
    "volume": "Total reclaimed space: 0B\n",
    "network": "Deleted Networks:\nback\n\n",
}


@pytest.fixture
def pruned(daemon):
    for path, answer in ANSWERS.values():
        daemon.on("POST", path, says(answer))
    return daemon


@pytest.mark.parametrize("noun", ANSWERS)
def test_prune_says_what_is_gone(pruned, bridgehead, noun):
    assert bridgehead(noun, "prune", "-f").out == SHOWN[noun]


@pytest.mark.parametrize("noun", [*ANSWERS, "system"])
def test_prune_asks_first_and_does_nothing_without_a_yes(pruned, bridgehead, noun, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))

    outcome = bridgehead(noun, "prune")

    assert (outcome.code, pruned.asked) == (0, [])
    assert outcome.out.startswith("WARNING! This will remove")
    assert outcome.out.endswith("\nAre you sure you want to continue? [y/N] ")


def test_prune_of_everything_adds_up(pruned, bridgehead):
    outcome = bridgehead("system", "prune", "-af", "--volumes", "--filter", "label=x")

    assert outcome.out.endswith("\nTotal reclaimed space: 3kB\n")
    assert pruned.calls == [f"POST /{noun}s/prune" for noun in ("container", "network", "volume", "image")]
    wanted = [json.loads(asked.query["filters"][0]) for asked in pruned.asked]
    assert wanted == [{"label": ["x"]}] * 3 + [{"label": ["x"], "dangling": ["false"]}]


def test_all_volumes_are_asked_for_by_a_filter(pruned, bridgehead):
    bridgehead("volume", "prune", "-af")

    assert json.loads(pruned.asked[0].query["filters"][0]) == {"all": ["true"]}
