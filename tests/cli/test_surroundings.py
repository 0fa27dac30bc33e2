import json

import pytest

from bridgehead.cli.client import CommandFailed
from bridgehead.cli.surroundings import device, nanoseconds, ulimit
from tests.cli.scripted import says


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("/dev/a", ("/dev/a", "/dev/a", "rwm")),
        ("/dev/a:r", ("/dev/a", "/dev/a", "r")),
        ("/dev/a:/dev/b", ("/dev/a", "/dev/b", "rwm")),
        ("/dev/a:/dev/b:rw", ("/dev/a", "/dev/b", "rw")),
    ],
)
def test_devices_have_a_path_on_both_sides(word, expected):
    assert expected == tuple(device(word).values())


@pytest.mark.parametrize("word", ["", "/dev/a:/dev/b:rw:x"])
def test_a_device_that_is_none_is_refused(word):
    with pytest.raises(CommandFailed, match="bad format for path"):
        device(word)


@pytest.mark.parametrize(
    ("text", "expected"), [("nofile=10", ("nofile", 10, 10)), ("nproc=1:-1", ("nproc", 1, -1))]
)
def test_ulimits_are_soft_and_hard(text, expected):
    assert expected == tuple(ulimit(text).values())


@pytest.mark.parametrize("text", ["bad", "nofile=x", "nofile=2:1", "nofile=-1:5"])
def test_an_ulimit_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="ulimit"):
        ulimit(text)


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("1m30s", 90_000_000_000), ("250ms", 250_000_000)])
def test_durations_are_nanoseconds(text, expected):
    assert expected == nanoseconds(text)


def created(daemon, bridgehead, *words):
    daemon.on("POST", "/containers/create", says({"Id": "abc"}, 201))
    outcome = bridgehead("create", *words, "busybox")
    assert outcome.code == 0, outcome.err
    return daemon.asked[-1].json


def test_what_was_not_asked_for_is_not_said(daemon, bridgehead):
    body = created(daemon, bridgehead)

    assert not {"Healthcheck", "Volumes"} & set(body)
    assert not {"Init", "Mounts", "LogConfig", "MemorySwappiness", "Ulimits"} & set(body["HostConfig"])


def test_everything_asked_for_is_said(daemon, bridgehead, tmp_path):
    profile, labels = tmp_path / "seccomp.json", tmp_path / "labels"
    profile.write_text('{ "defaultAction": "x" }')
    labels.write_text("# why\na=file\nb=file\n")

    body = created(
        daemon, bridgehead, "--init", "--health-cmd", "true", "--health-interval", "5s",
        "--health-retries", "3", "--log-driver", "json-file", "--log-opt", "max-size=1m",
        "--security-opt", f"seccomp={profile}", "--security-opt", "no-new-privileges",
        "--ulimit", "nofile=5", "--shm-size", "32m", "--pid", "host",
        "--memory-swappiness", "0", "--label-file", str(labels), "--label", "b=word",
        "-v", "/cache",
        "--mount", "type=tmpfs,dst=/x", "--group-add", "5", "--oom-score-adj", "7", "--cpuset-mems", "0",
    )  # fmt: skip

    config = body["HostConfig"]
    assert body["Healthcheck"] == {"Interval": 5_000_000_000, "Retries": 3, "Test": ["CMD-SHELL", "true"]}
    assert (body["Labels"], body["Volumes"]) == ({"a": "file", "b": "word"}, {"/cache": {}})
    assert config["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "1m"}}
    assert config["SecurityOpt"] == ['seccomp={"defaultAction":"x"}', "no-new-privileges"]
    assert config["Ulimits"] == [{"Name": "nofile", "Soft": 5, "Hard": 5}]
    assert config["Mounts"] == [{"Type": "tmpfs", "Target": "/x"}]
    assert (config["Init"], config["PidMode"], config["MemorySwappiness"]) == (True, "host", 0)
    assert (config["ShmSize"], config["OomScoreAdj"], config["CpusetMems"]) == (32 << 20, 7, "0")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--health-cmd x --no-healthcheck", "--no-healthcheck conflicts with --health-* options"),
        ("--rm --restart always", "conflicting options: cannot specify both --restart and --rm"),
        ("--pid bad", "--pid: invalid PID mode"),
        ("--uts bad", "--uts: invalid UTS mode"),
        ("--label-file absent", "open absent: no such file or directory"),
        ("--ulimit bad", 'invalid argument "bad" for "--ulimit" flag: invalid ulimit argument: bad'),
        ("--memory bad", """invalid argument "bad" for "-m, --memory" flag: invalid size: 'bad'"""),
        (
            "--health-interval x",
            'invalid argument "x" for "--health-interval" flag: time: invalid duration "x"',
        ),
    ],
)
def test_what_makes_no_sense_never_reaches_the_daemon(daemon, bridgehead, words, sentence):
    outcome = bridgehead("run", *words.split(), "busybox")

    assert (outcome.code, daemon.asked) == (125, [])
    assert outcome.err.removeprefix("bridgehead: ").splitlines()[0] == sentence


def test_update_says_only_what_changes(daemon, bridgehead):
    daemon.on("POST", "/containers/a/update", says({"Warnings": ["no swap here"]}))

    outcome = bridgehead("update", "--cpus", "0.5", "--restart", "on-failure:3", "a")

    assert (outcome.code, outcome.out, outcome.err) == (0, "a\n", "WARNING: no swap here\n")
    policy = {"Name": "on-failure", "MaximumRetryCount": 3}
    assert json.loads(daemon.asked[0].body) == {"NanoCpus": 500_000_000, "RestartPolicy": policy}


def test_update_of_nothing_is_refused(daemon, bridgehead):
    outcome = bridgehead("update", "a")

    assert (outcome.code, daemon.asked) == (1, [])
    assert outcome.err == "you must provide one or more flags when using this command\n"


def test_devices_have_limits_of_their_own(daemon, bridgehead):
    body = created(
        daemon, bridgehead, "--device-read-bps", "/dev/sda:1mb", "--device-write-iops", "/dev/sda:100",
        "--blkio-weight-device", "/dev/sda:200",
    )  # fmt: skip

    config = body["HostConfig"]
    assert config["BlkioDeviceReadBps"] == [{"Path": "/dev/sda", "Rate": 1 << 20}]
    assert config["BlkioDeviceWriteIOps"] == [{"Path": "/dev/sda", "Rate": 100}]
    assert config["BlkioWeightDevice"] == [{"Path": "/dev/sda", "Weight": 200}]


@pytest.mark.parametrize("word", ["/dev/sda", "sda:1mb", "/dev/sda:fast"])
def test_a_device_limit_that_is_none_is_refused(daemon, bridgehead, word):
    outcome = bridgehead("create", "--device-read-bps", word, "busybox")

    assert (outcome.code, daemon.asked) == (125, [])


def test_the_id_is_written_to_a_file_that_is_not_there_yet(daemon, bridgehead, tmp_path):
    file = tmp_path / "id"

    created(daemon, bridgehead, "--cidfile", str(file))
    again = bridgehead("create", "--cidfile", str(file), "busybox")

    assert file.read_text() == "abc"
    assert (again.code, len(daemon.asked)) == (125, 1)
    assert again.err.startswith("container ID file found")
