"""Sessions about images made of containers, and where we mean to differ."""

from tests.parity.difference import Difference

_CHANGES = (
    "echo mine > /root/file; rm /etc/group; echo 10.9.9.9 other >> /etc/hosts; "
    "echo options edns0 >> /etc/resolv.conf; mkdir -p /new/deep; ln /root/file /new/deep/link; sleep 1000"
)
_INSTRUCTIONS = "-c 'CMD cat /etc/passwd' -c 'ENV SIZE=big' -c 'EXPOSE 90/udp' -c 'USER nobody'"
_IMAGE = (
    "{{json .Config.Env}} {{json .Config.Cmd}} {{json .Config.Entrypoint}} {{.Config.User}} "
    "{{json .Config.ExposedPorts}} {{json .Config.Labels}} {{json .Config.WorkingDir}} {{.Config.Image}} "
    "{{.Author}} {{.Comment}} {{.Os}} {{.Architecture}} {{json .RepoTags}} {{len .RootFS.Layers}}"
)
_FREEZING = "-f event=commit -f event=pause -f event=unpause"
_COMMITTED = "{{.Type}} {{.Action}} {{.Actor.Attributes.imageRef}} {{.Actor.Attributes.comment}}"

SCENARIOS: dict[str, tuple[str, ...]] = {
    "commit": (
        f"run -d --name made --label tier=back -e COLOUR=red --expose 80 busybox sh -c '{_CHANGES}'",
        "until file: exec made ls /root /new/deep",
        f"commit -a me -m why {_INSTRUCTIONS} made mine:1",
        "inspect -f '{{.State.Status}}' made",
        f"inspect -f '{_IMAGE}' mine:1",
        "inspect -f '{{json .ContainerConfig.Cmd}} {{.Container}} {{.Parent}}' mine:1",
        "history --no-trunc --format '{{.CreatedBy}} {{.Comment}}' mine:1",
        "sorted: images --format '{{.Repository}} {{.Tag}}'",
        "run --rm mine:1",
        "run --rm -u root mine:1 sh -c 'env; cat /etc/group; ls /new/deep; cat /etc/resolv.conf'",
        "run --rm -u root mine:1 grep -v 172.17 /etc/hosts",
        "kill made",
        "commit made second",
        "commit --change 'ENTRYPOINT [\"cat\"]' made third",
        "inspect -f '{{json .Config.Cmd}} {{json .Config.Entrypoint}}' second third",
        "run --rm second cat /root/file",
        "commit --change 'RUN true' made",
        "commit missing",
        "commit made UPPER",
        "create --name idle busybox true",
        "commit idle same",
        "inspect -f '{{len .RootFS.Layers}}' same",
        "history --format '{{.CreatedBy}} {{.Size}}' same",
        f"sorted until same:latest: events --since 1m --until 0s {_FREEZING} --format '{_COMMITTED}'",
        "rmi mine:1",
        "rmi same",
    ),
}

DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "commit": (
        Difference(
            "instructions are named in capitals, as Docker does today",
            oracle=r"err Error .* run is not a valid change command",
            ours=r"err Error .* RUN is not a valid change command",
        ),
    ),
}
