"""Sessions about containers' files and limits, and where we mean to differ."""

from tests.parity.difference import Difference
from tests.parity.sessions.words import sleeper

_CHANGE = (
    "cd /tmp; mkdir -p a/b; echo x > a/b/c; ln -s a/b link; rm /etc/group; echo x >> /etc/passwd; sleep 1000"
)
_FIELDS = "{{.Memory}} {{.CpuShares}} {{.NanoCpus}} {{.PidsLimit}} {{json .RestartPolicy}}"
_LIMITS = f"{{{{with .HostConfig}}}}{_FIELDS}{{{{end}}}}"
_COPIED = "-f event=archive-path -f event=extract-to-dir --format '{{.Action}} {{.Actor.Attributes.name}}'"

SCENARIOS: dict[str, tuple[str, ...]] = {
    "copying": (
        f"run -d --name live -v /run/shared:/shared busybox sh -c '{_CHANGE}'",
        "create --name idle -v /run/shared:/shared busybox true",
        "until x: exec live cat /tmp/a/b/c",
        "sorted: diff live",
        "sorted: diff idle",
        "cp /etc/debian_version idle:/tmp",
        "cp /etc/debian_version idle:/tmp/renamed",
        "cp /etc/debian_version idle:/shared/",
        "cp /etc/debian_version live:/tmp/link/",
        "exec live ls /tmp/a/b /shared",
        "cp /etc/nowhere idle:/",
        "cp idle:/nowhere /tmp",
        "cp live:/tmp/link/nowhere -",
        "cp nobody:/etc /tmp",
        "cp /etc/debian_version nobody:/etc",
        "sorted: diff idle",
        "start -a idle",
        "sorted: diff idle",
        "create --name fixed --read-only -v /run/shared:/shared:ro busybox true",
        "cp /etc/debian_version fixed:/tmp",
        "cp /etc/debian_version fixed:/shared",
        "diff nobody",
        "export nobody",
        "run --rm -v /run/shared:/shared busybox ls /shared",
        f"sorted until extract: events --since 1m --until 0s {_COPIED}",
    ),
    "updates": (
        sleeper("live", "-m 32m --memory-swap 96m --pids-limit 30"),
        "create --name idle busybox sleep 1000",
        "update -m 64m live",
        f"inspect -f '{_LIMITS}' live",
        "exec live cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max",
        "update --pids-limit 20 --cpu-shares 512 --restart always live idle",
        "exec live cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/cpu/cpu.shares",
        f"inspect -f '{_LIMITS}' live idle",
        "update --cpus 0.5 live idle",
        "exec live cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us",
        "update --cpu-quota 20000 live",
        "update --cpus 1 --cpu-period 50000 live",
        "update -m 4m live",
        "update --cpu-period 10 live",
        "update --restart always nobody",
        "update --restart sometimes live",
        "start idle",
        "exec idle cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us",
        "update -m 64m --memory-swap 32m idle",
        "update -m 64m idle",
        "update --pids-limit -1 live",
        "exec live cat /sys/fs/cgroup/pids/pids.max",
        "run -d --rm --name passing busybox sleep 1000",
        "update --restart always passing",
        "stats --no-stream --format '{{.Name}} {{.PIDs}}' idle",
        "stats --no-stream nobody",
    ),
}

DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "updates": (
        Difference(
            "the wording of Docker 24 and later",
            oracle=r"err Error response from daemon: invalid restart policy 'sometimes'",
            ours=r"err Error response from daemon: invalid restart policy: unknown policy 'sometimes'; .*",
        ),
    ),
}
