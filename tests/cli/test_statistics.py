from tests.cli.scripted import says

SAMPLE = {
    "id": "ab" * 32,
    "name": "/web",
    "cpu_stats": {"cpu_usage": {"total_usage": 300}, "system_cpu_usage": 2000, "online_cpus": 2},
    "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000},
    "memory_stats": {"usage": 3 << 20, "limit": 8 << 20, "stats": {"inactive_file": 1 << 20}},
    "networks": {"eth0": {"rx_bytes": 1000, "tx_bytes": 1}, "eth1": {"rx_bytes": 500, "tx_bytes": 1}},
    "blkio_stats": {
        "io_service_bytes_recursive": [{"op": "Read", "value": 7}, {"op": "write", "value": 2000}]
    },
    "pids_stats": {"current": 3},
}


def test_stats_are_worked_out_as_docker_does(daemon, bridgehead):
    daemon.on("GET", "/containers/web/stats", says(SAMPLE))

    titles, shown = bridgehead("stats", "--no-stream", "web").out.splitlines()

    assert titles.split()[:5] == ["CONTAINER", "ID", "NAME", "CPU", "%"]
    assert shown.split() == "abababababab web 40.00% 2MiB / 8MiB 25.00% 1.5kB / 2B 7B / 2kB 3".split()
    assert daemon.asked[0].query == {"stream": ["0"]}


def test_a_container_at_rest_uses_nothing(daemon, bridgehead):
    daemon.on("GET", "/containers/idle/stats", says({"id": "12" * 32, "name": "/idle", "pids_stats": {}}))

    layout = "{{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.PIDs}}"

    assert bridgehead("stats", "--no-stream", "--format", layout, "idle").out == "0.00% 0B / 0B 0.00% 0\n"


def test_all_running_containers_are_asked_when_none_is_named(daemon, bridgehead):
    daemon.on("GET", "/containers/json", says([{"Id": "web"}]))
    daemon.on("GET", "/containers/web/stats", says(SAMPLE))

    assert bridgehead("stats", "--no-stream", "--format", "{{.Name}}").out == "web\n"
    assert daemon.asked[0].query == {"filters": ['{"status": ["running", "paused"]}']}


def test_stats_of_nobody_are_an_error(daemon, bridgehead):
    daemon.on("GET", "/containers/nope/stats", says({"message": "No such container: nope"}, 404))

    outcome = bridgehead("stats", "--no-stream", "nope")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "Error response from daemon: No such container: nope\n"
