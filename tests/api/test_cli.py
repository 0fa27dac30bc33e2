"""The real docker client against the API."""

import json
import time

from bridgehead.core.images.commit import CommitRequest
from tests.api.conftest import Api


async def test_version_and_info_print(api: Api) -> None:
    version = await api.docker("version", "--format", "{{.Server.Version}} {{.Server.APIVersion}}")
    info = await api.docker("info", "--format", "{{.ServerVersion}} {{.Plugins.Network}} {{.Containers}}")

    assert version.out == "0.1.0 1.48\n"
    assert info.out == "0.1.0 [bridge host ipvlan macvlan null] 0\n"


async def test_run_shows_both_streams_and_the_exit_code(api: Api) -> None:
    ran = await api.docker("run", "--rm", "busybox", "both", "7")

    assert (ran.code, ran.out, ran.err) == (7, "to stdout\n", "to stderr\n")
    assert not api.engine.snapshot.containers


async def test_run_reads_its_input_to_the_end_and_answers_after_it(api: Api) -> None:
    ran = await api.docker("run", "-i", "--rm", "busybox", "count", stdin=b"x" * 300_000)

    assert (ran.code, ran.out) == (0, "300000\n")


async def test_run_tells_why_a_command_cannot_start(api: Api) -> None:
    missing = await api.docker("run", "--rm", "busybox", "nonsense")
    locked = await api.docker("run", "--rm", "busybox", "locked")

    assert missing.code == 127, missing.err
    assert locked.code == 126, locked.err


async def test_run_of_an_unknown_image_says_why_it_cannot_be_pulled(api: Api) -> None:
    ran = await api.docker("run", "--rm", "nowhere")

    assert ran.code == 125
    assert "Error response from daemon: pull access denied for nowhere" in ran.err


async def test_run_of_a_missing_image_pulls_it(api: Api) -> None:
    ran = await api.docker("run", "-d", "elsewhere:1", "sleep")

    assert ran.code == 0, ran
    assert "Status: Downloaded newer image for elsewhere:1" in ran.err


async def test_a_pull_that_breaks_off_ends_with_the_reason(api: Api) -> None:
    pulled = await api.docker("pull", "broken")

    assert pulled.code == 1
    assert "the registry broke" in pulled.err


async def test_a_login_is_judged_by_the_registry(api: Api) -> None:
    good = await api.docker("login", "-u", "me", "-p", "mine", "registry.example")
    wrong = await api.docker("login", "-u", "me", "-p", "guess", "registry.example")

    assert "Login Succeeded" in good.out
    assert (wrong.code, "unauthorized: authentication required" in wrong.err) == (1, True)


async def test_detached_run_then_exec_logs_stop_and_rm(api: Api) -> None:
    await api.docker("run", "-d", "--name", "c", "busybox", "sleep")

    executed = await api.docker("exec", "-i", "c", "cat", stdin=b"through")
    failed = await api.docker("exec", "c", "both", "5")
    missing = await api.docker("exec", "c", "nonsense")
    stopped = await api.docker("stop", "c")
    removed = await api.docker("rm", "c")

    assert (executed.code, executed.out) == (0, "through")
    assert (failed.code, failed.out, failed.err) == (5, "to stdout\n", "to stderr\n")
    assert missing.code == 127
    assert "executable file not found" in missing.out + missing.err
    assert (stopped.out, removed.out) == ("c\n", "c\n")


async def test_ps_lists_by_state(api: Api) -> None:
    await api.docker("run", "-d", "--name", "up", "busybox", "sleep")
    await api.docker("run", "--name", "down", "busybox", "both", "3")

    running = await api.docker("ps", "--format", "{{.Names}} {{.Image}} {{.Command}}")
    exited = await api.docker("ps", "-a", "--filter", "status=exited", "--format", "{{.Names}} {{.Status}}")
    wrong = await api.docker("ps", "--filter", "status=odd")

    assert running.out == 'up busybox "sleep"\n'
    assert exited.out == "down Exited (3) Less than a second ago\n"
    assert "invalid filter 'status=odd'" in wrong.err


async def test_templates_in_wide_use_work(api: Api) -> None:
    await api.docker("run", "-d", "--name", "c", "--label", "a=b", "busybox", "sleep")

    shown = await api.docker(
        "inspect",
        "-f",
        "{{.State.Pid}} {{.NetworkSettings.IPAddress}} {{.Name}} {{.Config.Image}}"
        " {{.HostConfig.NetworkMode}}"
        " {{range .NetworkSettings.Networks}}{{.IPAddress}}/{{.IPPrefixLen}} {{.Gateway}}{{end}}"
        ' {{index .Config.Labels "a"}} {{.State.Running}} {{json .NetworkSettings.Ports}} {{.Config.Cmd}}',
        "c",
    )

    assert shown.out == "4242 172.17.0.2 /c busybox bridge 172.17.0.2/16 172.17.0.1 b true {} [sleep]\n", (
        shown.err
    )


async def test_networks_live_their_whole_life(api: Api) -> None:
    made = await api.docker("network", "create", "--label", "x=1", "one")
    await api.docker("run", "-d", "--name", "c", "--network", "one", "busybox", "sleep")
    await api.docker("network", "connect", "--alias", "svc", "bridge", "c")
    listed = await api.docker(
        "network", "ls", "--filter", "label=x", "--format", "{{.Name}} {{.Driver}} {{.Scope}}"
    )
    shown = await api.docker("network", "inspect", "one")
    await api.docker("network", "disconnect", "one", "c")
    removed = await api.docker("network", "rm", "one")
    again = await api.docker("network", "rm", "one")

    assert api.engine.snapshot.containers
    assert len(made.out) == 65
    assert listed.out == "one bridge local\n"
    (attached,) = json.loads(shown.out)[0]["Containers"].values()
    assert (attached["Name"], attached["IPv4Address"]) == ("c", "172.20.0.2/16")
    assert removed.out == "one\n"
    assert "network one not found" in again.err


async def test_images_come_in_and_go(api: Api) -> None:
    imported = await api.docker(
        "import", "--change", "CMD sh", "-m", "why", "-", "mine:1", stdin=b"archive" * 1000
    )
    listed = await api.docker("images", "--format", "{{.Repository}}:{{.Tag}}", "mine")
    loaded = await api.docker("load", stdin=b"archive")
    history = await api.docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", "busybox")
    removed = await api.docker("rmi", "mine:1")

    assert imported.out.startswith("sha256:"), imported.err
    assert api.engine.images.imported == [(b"archive" * 1000, "mine:1", ["CMD sh"], "why")]
    assert listed.out == "mine:1\n"
    assert loaded.out == "Loaded image: loaded:1\n"
    assert history.out == "by hand\n"
    assert "Untagged: mine:1" in removed.out


async def test_events_are_told_from_the_past(api: Api) -> None:
    await api.docker("network", "create", "one")

    told = await api.docker(
        "events",
        "--since",
        "1m",
        "--until",
        f"{time.time():.9f}",
        "--format",
        "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}",
    )

    assert told.out == "network create one\n", told.err


async def test_commit_passes_on_what_was_asked(api: Api) -> None:
    await api.docker("run", "-d", "--name", "c", "busybox", "sleep")

    plain = await api.docker("commit", "c")
    full = await api.docker(
        *("commit", "-a", "me", "-m", "why", "-p=false", "-c", "CMD x", "-c", "USER y", "c", "mine:1")
    )

    assert plain.out.startswith("sha256:"), plain.err
    assert full.out.startswith("sha256:"), full.err
    assert api.engine.commits.asked == [
        CommitRequest(),
        CommitRequest("docker.io/library/mine:1", "me", "why", pause=False, changes=("CMD x", "USER y")),
    ]


async def test_what_is_not_built_says_so(api: Api) -> None:
    await api.docker("run", "-d", "--name", "c", "busybox", "sleep")

    for words, sentence in (
        (("swarm", "leave"), "This node is not part of a swarm"),
        (("node", "ls"), "This node is not a swarm manager"),
        (("volume", "create", "-d", "nfs", "v1"), 'plugin "nfs" not found'),
    ):
        refused = await api.docker(*words)

        assert sentence in refused.err, words


async def test_empty_lists_are_printed(api: Api) -> None:
    for words in (
        ("volume", "ls"),
        ("plugin", "ls"),
        ("system", "df"),
        ("container", "prune", "-f"),
        ("system", "prune", "-f"),
    ):
        done = await api.docker(*words)

        assert done.code == 0, done.err
