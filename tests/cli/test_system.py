import json

import pytest

from tests.cli.scripted import Says, says


def test_inspect_looks_among_containers_images_and_networks(daemon, bridgehead):
    daemon.on("GET", "/networks/back", says({"Name": "back", "Labels": {}, "Empty": []}))

    outcome = bridgehead("inspect", "back", "nope")

    assert (
        outcome.out
        == '[\n    {\n        "Name": "back",\n        "Labels": {},\n        "Empty": []\n    }\n]\n'
    )
    assert (outcome.code, outcome.err) == (1, "Error: No such object: nope\n")


def test_inspect_with_a_format_prints_only_that(daemon, bridgehead):
    daemon.on("GET", "/containers/a/json", says({"State": {"Running": True}}))

    assert bridgehead("inspect", "-f", "{{.State.Running}}", "a").out == "true\n"


def test_events_are_lines_with_their_attributes(daemon, bridgehead, monkeypatch):
    event = {
        "Type": "network",
        "Action": "connect",
        "Actor": {"ID": "abc", "Attributes": {"type": "bridge", "name": "n1"}},
        "timeNano": 1_763_940_707_000_000_042,
    }
    text = json.dumps(event).encode() + b"\n"
    daemon.on("GET", "/events", Says(chunks=(text[:20], text[20:] + text)))
    monkeypatch.setenv("TZ", "UTC")

    outcome = bridgehead("events", "-f", "type=network", "--since", "1763940000")

    line = "2025-11-23T23:31:47.000000042Z network connect abc (name=n1, type=bridge)\n"
    assert line * 2 == outcome.out
    assert daemon.asked[0].query["since"] == ["1763940000"]


def test_version_names_both_sides(daemon, bridgehead):
    daemon.on("GET", "/version", says({"Version": "9.9", "ApiVersion": "1.47", "MinAPIVersion": "1.24"}))

    printed = bridgehead("version").out

    assert "Client: Bridgehead" in printed
    assert " Version:          9.9" in printed
    assert " API version:      1.47 (minimum version 1.24)" in printed


@pytest.mark.parametrize("words", [["--help"], ["network"], ["run", "--help"]])
def test_help_is_no_error(bridgehead, words):
    outcome = bridgehead(*words)

    assert outcome.code == 0
    assert outcome.out.startswith("Usage:  bridgehead")


def test_a_broken_answer_is_said_plainly(daemon, bridgehead):
    daemon.on("GET", "/networks", Says(body=b'[{"Id":'))

    outcome = bridgehead("network", "ls")

    assert outcome.code == 1
    assert "the daemon's answer broke off" in outcome.err
