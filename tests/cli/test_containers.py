import time

from tests.cli.scripted import Says, says

ENTRY = {
    "Id": "0123456789abcdef",
    "Names": ["/web/db", "/c1"],
    "Image": "busybox",
    "Command": "sh -c 'while true; do sleep 1; done'",
    "Status": "Up 2 seconds",
    "State": "running",
    "Ports": [
        {"PrivatePort": 80, "Type": "tcp", "PublicPort": 8080, "IP": "0.0.0.0"},
        {"PrivatePort": 80, "Type": "tcp", "PublicPort": 8080, "IP": "::"},
        {"PrivatePort": 53, "Type": "udp"},
    ],
    "Labels": {},
}


def test_ps_is_dockers_table(daemon, bridgehead):
    daemon.on("GET", "/containers/json", says([{**ENTRY, "Created": int(time.time()) - 200}]))

    lines = bridgehead("ps").out.splitlines()

    assert lines[0].replace("CONTAINER ID", "ID").split() == [
        *("ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES")
    ]
    assert lines[1].startswith(
        '0123456789ab   busybox   "sh -c \'while true; …"   3 minutes ago   Up 2 seconds   '
    )
    assert lines[1].endswith("53/udp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp   c1")


def test_ps_asks_for_what_was_wanted(daemon, bridgehead):
    daemon.on("GET", "/containers/json", says([]))

    outcome = bridgehead("ps", "-aq", "-n", "3", "-f", "network=backend")

    assert (
        outcome.out,
        daemon.asked[0].query,
    ) == ("", {"all": ["1"], "limit": ["3"], "filters": ['{"network": ["backend"]}']})


def test_stop_sends_its_options_for_every_name(daemon, bridgehead):
    daemon.on("POST", "/containers/a/stop", says(None, 204))
    daemon.on("POST", "/containers/b/stop", Says(304))

    outcome = bridgehead("stop", "-t", "1", "-s", "INT", "a", "b")

    assert (outcome.code, outcome.out) == (0, "a\nb\n")
    assert daemon.asked[0].query == {"t": ["1"], "signal": ["INT"]}


def test_wait_prints_exit_codes(daemon, bridgehead):
    daemon.on("POST", "/containers/a/wait", says({"StatusCode": 7}))

    assert bridgehead("wait", "a").out == "7\n"


def test_logs_split_into_stdout_and_stderr(daemon, bridgehead):
    daemon.on("GET", "/containers/a/json", says({"Id": "a", "Config": {"Tty": False}}))
    frames = (b"\x01\0\0\0\0\0\0\x04o", b"ut\n\x02\0\0\0\0\0\0\x04err\n")
    daemon.on("GET", "/containers/a/logs", Says(chunks=frames))

    outcome = bridgehead("logs", "--tail", "5", "-t", "a")

    assert (outcome.out, outcome.err) == ("out\n", "err\n")
    assert daemon.asked[1].query["tail"] == ["5"]


def test_failed_starts_are_listed(daemon, bridgehead):
    daemon.on("POST", "/containers/a/start", says(None, 204))

    outcome = bridgehead("start", "a", "nope")

    assert (outcome.code, outcome.out) == (1, "a\n")
    assert outcome.err.endswith("Error: failed to start containers: nope\n")


def test_port_prints_mappings_by_number(daemon, bridgehead):
    bound = [{"HostIp": "127.0.0.1", "HostPort": "9000"}]
    ports = {"80/tcp": bound, "443/tcp": bound, "53/udp": bound, "53/tcp": bound}
    daemon.on("GET", "/containers/a/json", says({"Id": "a", "NetworkSettings": {"Ports": ports}}))

    shown = [line.partition(" ")[0] for line in bridgehead("port", "a").out.splitlines()]

    assert shown == ["53/tcp", "53/udp", "80/tcp", "443/tcp"]


def test_port_prints_mappings(daemon, bridgehead):
    ports = {
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
        "9/udp": None,
    }
    daemon.on("GET", "/containers/a/json", says({"Id": "a", "NetworkSettings": {"Ports": ports}}))

    assert bridgehead("port", "a").out == "80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080\n"
    assert bridgehead("port", "a", "80").out == "0.0.0.0:8080\n[::]:8080\n"
    assert bridgehead("port", "a", "81").err == "Error: No public port '81' published for a\n"
