import json

from tests.cli.scripted import says

DATA = {"Name": "data2", "Driver": "local", "Mountpoint": "/v/data2", "Scope": "local", "Labels": {"a": "b"}}
VOLUMES = {"Volumes": [{**DATA, "Name": "data10"}, DATA], "Warnings": None}


def test_create_prints_the_name_it_was_given(daemon, bridgehead):
    daemon.on("POST", "/volumes/create", says({**DATA, "Name": "f" * 64}, 201))

    outcome = bridgehead("volume", "create", "--label", "a=b", "-o", "type=tmpfs", "-o", "o=size=1m")

    assert outcome.out == "f" * 64 + "\n"
    options = {"type": "tmpfs", "o": "size=1m"}
    expected = {"Name": "", "Driver": "local", "DriverOpts": options, "Labels": {"a": "b"}}
    assert json.loads(daemon.asked[0].body) == expected


def test_ls_is_dockers_table_in_natural_order(daemon, bridgehead):
    daemon.on("GET", "/volumes", says(VOLUMES))

    assert bridgehead("volume", "ls").out == ("DRIVER    VOLUME NAME\nlocal     data2\nlocal     data10\n")
    assert bridgehead("volume", "ls", "-q").out == "data2\ndata10\n"
    assert bridgehead("volume", "ls", "--format", '{{.Mountpoint}} {{.Label "a"}}').out.startswith(
        "/v/data2 b\n"
    )


def test_rm_goes_on_after_an_error(daemon, bridgehead):
    daemon.on("DELETE", "/volumes/b", says(None, 204))

    outcome = bridgehead("volume", "rm", "-f", "a", "b")

    assert (outcome.code, outcome.out) == (1, "b\n")
    assert daemon.asked[1].query == {"force": ["1"]}
