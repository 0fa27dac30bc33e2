"""Sessions about both kinds of links, and where we mean to differ."""

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
        "ps -f name=webdb --format {{.Names}}",
        "ps -f name=web --format {{.Names}}",
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
    "links-own": (
        "network create isolated_nw",
        "run --net=isolated_nw -itd --name=container1 -h one --link container2:c2 busybox",
        "exec container1 ping -c 1 c2",
        "run --net=isolated_nw -itd --name=container2 -h two --link container1:c1 busybox",
        "exec container1 ping -c 3 c2",
        "exec container1 ping -c 1 container2",
        "exec container2 ping -c 1 c1",
        "exec container1 cat /etc/hosts",
        "sorted: exec container1 env",
        "inspect -f '{{json .NetworkSettings.Networks.isolated_nw.Links}}' container1",
        "inspect -f '{{json .HostConfig.Links}}' container1",
        sleeper("third", "--net isolated_nw"),
        "exec third ping -c 1 -W 1 c2",
        sleeper("late"),
        "network connect --link third:container2 isolated_nw late",
        "exec late ping -c 1 -W 1 container2",
        "inspect -f '{{json .NetworkSettings.Networks.isolated_nw.Links}}' late",
        "rename third fourth",
        "exec late ping -c 1 -W 1 fourth",
        "network disconnect isolated_nw late",
        "exec late cat /etc/hosts",
    ),
}

_FILES = "sh -c 'hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf'"


def _files(options: str) -> str:
    return f"run --rm {options} busybox {_FILES}"


SCENARIOS["files"] = (
    "network create own",
    _files("-h box --dns 127.0.0.1 --dns fd00::53"),
    _files("-h box --net own --dns 9.9.9.9 --dns-opt ndots:2 --dns-search a.example --dns-search b.example"),
    _files("-h box --dns-search ."),
    _files("-h box.example.org --add-host up:host-gateway --add-host six:fd00::1 --add-host db:10.0.0.7"),
    _files("-h box --domainname example.org --net own"),
    _files("-h box --net none --dns 4.4.4.4"),
    "run --rm --net host -h box busybox sh -c 'hostname; cat /etc/hostname'",
    _files("--net host -h box --add-host db:10.0.0.7 --dns 9.9.9.9"),
    _files("-h box --sysctl net.ipv6.conf.all.disable_ipv6=0 --add-host db=10.0.0.7"),
    "run --rm --add-host nonsense busybox true",
    "run --rm --add-host name:nonsense busybox true",
    "run --rm --dns nonsense busybox true",
    "run -d --name web -h secret busybox sleep 1000",
    "exec web sh -c 'echo 1.2.3.4 mine >> /etc/hosts; echo mine > /etc/hostname'",
    "exec web sh -c 'echo nameserver 5.6.7.8 > /etc/resolv.conf'",
    "network connect own web",
    "exec web cat /etc/hosts /etc/hostname /etc/resolv.conf",
    "ps --format '{{.Names}} {{.Image}} {{.Command}}'",
    "restart -t 0 web",
    "exec web cat /etc/hosts /etc/hostname /etc/resolv.conf",
)

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
    "links-restart": (
        EXEC_GOES_ON,
        Difference(
            "a container that starts again has the address it had, which nobody got meanwhile",
            oracle=r"out (WEBDB_PORT\S*=|PING webdb |64 bytes from )?\S*172\.17\.0\.[34]\b.*",
            ours=r"out (WEBDB_PORT\S*=|PING webdb |64 bytes from )?\S*172\.17\.0\.2\b.*",
        ),
    ),
    "files": (
        Difference(
            "an address that was given back is the last to be given again",
            oracle=r"out 172\.1[78]\.0\.2 (box|secret).*",
            ours=r"out 172\.1[78]\.0\.[3-6] (box|secret).*",
        ),
        Difference(
            "as Docker 26 and later, a resolv.conf that the container edited is left alone",
            oracle=r"out (nameserver 127.0.0.11|options ndots:0)",
            ours=r"out nameserver 5.6.7.8",
        ),
    ),
    "links-own": (
        Difference(
            "leaving one network takes no other network's line out of hosts",
            ours=r"out 172\.17\.0\.2 ID\d+",
        ),
    ),
}
