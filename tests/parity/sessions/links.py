"""Sessions about links on the default bridge, and where we mean to differ."""

from tests.parity.difference import Difference
from tests.parity.sessions.words import EXEC_GOES_ON, links, sleeper, state

SCENARIOS: dict[str, tuple[str, ...]] = {
    "links": (
        (
            "run -d --name db --hostname dbhost -e doc=docker -e A=b=c --expose 5432 --expose 53/udp "
            "--expose 8000-8002 --expose 9000-9001 --expose 8003/udp busybox sleep 1000"
        ),
        sleeper("plain-one"),
        "run -d --name web --link db:webdb --link plain-one --link db -e WEBDB_NAME=mine busybox sleep 1000",
        "sorted: exec web env",
        "sorted: exec web cat /etc/hosts",
        "exec web ping -c 1 -W 1 webdb",
        "exec db cat /etc/hosts",
        links("web"),
        "inspect -f '{{json .HostConfig.Links}} {{.Name}}' web/webdb",
        "ps --no-trunc --format {{.Names}}",
        "ps --format {{.Names}}",
        "inspect -f '{{json .NetworkSettings.Networks.bridge.Links}}' web",
        sleeper("bad", "--link missing:x"),
        sleeper("bad", "--link db:x --net host"),
        sleeper("bad", "--link db:x --net container:db"),
        "run -d --name hosty --net host busybox sleep 1000",
        sleeper("bad", "--link hosty:x"),
        "rm -f hosty",
        "rename db data",
        links("web"),
        "rename web front",
        links("front"),
        "sorted: exec front env",
        "rm --link front/webdb",
        "rm --link front/webdb",
        "rm --link front",
        "rm --link nobody/webdb",
        links("front"),
        "sorted: exec front cat /etc/hosts",
        "ps --no-trunc --format {{.Names}}",
        "rm -f data",
        links("front"),
        "sorted: exec front cat /etc/hosts",
    ),
    "links-restart": (
        "run -d --name db -h source --expose 5432 busybox sleep 1000",
        "run -d --name web -h recipient --link db:webdb busybox sleep 1000",
        "stop -t 0 db",
        sleeper("between"),
        "exec web cat /etc/hosts",
        "exec web ping -c 1 -W 1 webdb",
        "exec web env",
        "start db",
        "exec web cat /etc/hosts",
        "exec web ping -c 1 -W 1 webdb",
        "sorted: exec web env",
        "stop -t 0 web db",
        "start web",
        state("web"),
        "inspect -f '{{.State.Error}}' web",
        "start db",
        "start web",
        "sorted: exec web env",
        "network create own",
        sleeper("apart", "--net own"),
        "run -d --name lost --link apart busybox sleep 1000",
        state("lost"),
        "create --name late --link apart busybox sleep 1000",
        "network connect bridge apart",
        "start late",
        "exec late ping -c 1 -W 1 apart",
    ),
}

DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "links": (
        Difference(
            "a row of consecutive ports ends where its protocol does",
            oracle=r"out \w+_PORT_8000_UDP(_PORT)?_END=.*8003",
            ours=r"out \w+_PORT_8000_TCP(_PORT)?_END=.*8002",
        ),
        Difference(
            "a link ends with its source",
            oracle=r"out /data:/front/db",
        ),
        EXEC_GOES_ON,
    ),
    "links-restart": (EXEC_GOES_ON,),
}
