import json

from tests.cli.scripted import says

REST = {"Created": "2026-01-02T03:04:05Z", "Internal": False, "EnableIPv6": False, "Labels": None}
BRIDGE = {**REST, "Id": "161fab5e5d1d180e", "Name": "bridge", "Driver": "bridge", "Scope": "local"}
BACKEND_10 = {**REST, "Id": "5b88eb1242d5bc88", "Name": "backend10", "Driver": "bridge", "Scope": "local"}
BACKEND_2 = {**REST, "Id": "97b529e88db9bc88", "Name": "backend2", "Driver": "bridge", "Scope": "local"}


def test_ls_is_dockers_table_in_natural_order(daemon, bridgehead):
    daemon.on("GET", "/networks", says([BRIDGE, BACKEND_10, BACKEND_2]))

    outcome = bridgehead("network", "ls")

    assert outcome.code == 0
    assert outcome.out == (
        "NETWORK ID     NAME        DRIVER    SCOPE\n"
        "97b529e88db9   backend2    bridge    local\n"
        "5b88eb1242d5   backend10   bridge    local\n"
        "161fab5e5d1d   bridge      bridge    local\n"
    )


def test_ls_sends_filters_and_prints_ids_alone(daemon, bridgehead):
    daemon.on("GET", "/networks", says([BRIDGE]))

    outcome = bridgehead("network", "ls", "-q", "--no-trunc", "-f", "driver=bridge", "--filter", "name=b")

    assert outcome.out == "161fab5e5d1d180e\n"
    assert json.loads(daemon.asked[0].query["filters"][0]) == {"driver": ["bridge"], "name": ["b"]}


def test_create_prints_the_id(daemon, bridgehead):
    daemon.on("POST", "/networks/create", says({"Id": "f" * 64, "Warning": ""}, 201))

    outcome = bridgehead("network", "create", "--internal", "--label", "a=b", "backend")

    assert (outcome.code, outcome.out) == (0, "f" * 64 + "\n")
    body = daemon.asked[0].json
    assert (
        body["Name"],
        body["Driver"],
        body["Internal"],
        body["Labels"],
    ) == ("backend", "bridge", True, {"a": "b"})


def test_the_daemons_sentence_is_the_error(daemon, bridgehead):
    daemon.on("POST", "/networks/create", says({"message": "network with name n1 already exists"}, 409))

    outcome = bridgehead("network", "create", "n1")

    assert (
        outcome.code,
        outcome.out,
        outcome.err,
    ) == (1, "", "Error response from daemon: network with name n1 already exists\n")


def test_rm_goes_on_after_an_error(daemon, bridgehead):
    daemon.on("DELETE", "/networks/a", says(None, 204))
    daemon.on("DELETE", "/networks/b", says(None, 204))

    outcome = bridgehead("network", "rm", "a", "nope", "b")

    assert (outcome.code, outcome.out) == (1, "a\nb\n")
    assert outcome.err.startswith("Error response from daemon:")


def test_rm_force_forgives_what_is_not_there(bridgehead):
    assert bridgehead("network", "rm", "-f", "nope").code == 0


def test_inspect_prints_what_is_found_then_the_error(daemon, bridgehead):
    daemon.on("GET", "/networks/bridge", says(BRIDGE))

    outcome = bridgehead("network", "inspect", "bridge", "nope")

    assert outcome.code == 1
    assert json.dumps([BRIDGE], indent=4) + "\n" == outcome.out
    assert outcome.err.startswith("Error response from daemon:")


def test_connect_says_what_was_asked_of_the_endpoint(daemon, bridgehead):
    daemon.on("POST", "/networks/frontend/connect", says(None))

    outcome = bridgehead("network", "connect", "--ip", "10.0.0.9", "--alias", "db", "frontend", "container2")

    assert outcome.code == 0
    body = daemon.asked[0].json
    assert (
        body["Container"],
        body["EndpointConfig"]["IPAMConfig"],
        body["EndpointConfig"]["Aliases"],
    ) == ("container2", {"IPv4Address": "10.0.0.9"}, ["db"])


def test_create_passes_warnings_on(daemon, bridgehead):
    daemon.on("POST", "/networks/create", says({"Id": "a" * 64, "Warning": "one\ntwo"}, 201))

    outcome = bridgehead("network", "create", "lan")

    assert (outcome.code, outcome.out) == (0, "a" * 64 + "\n")
    assert outcome.err == "WARNING: one\nWARNING: two\n"


def test_prune_lists_what_went(daemon, bridgehead):
    daemon.on("POST", "/networks/prune", says({"NetworksDeleted": ["a", "b"]}))

    assert bridgehead("network", "prune", "-f").out == "Deleted Networks:\na\nb\n\n"


def test_no_daemon_is_said_plainly(tmp_path, capfd):
    from bridgehead.cli.main import main

    code = main(["-H", f"unix://{tmp_path}/none.sock", "network", "ls"])

    assert code == 1
    assert "Cannot connect to the bridgehead daemon at unix://" in capfd.readouterr().err
