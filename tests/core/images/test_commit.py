"""The configuration of a committed image, by Docker's rules."""

import json
from typing import Any

import pytest

from bridgehead.core.images.commit import (
    EMPTY_LAYER,
    CommitRequest,
    Step,
    container_config,
    document,
    new_config,
)
from bridgehead.core.model.container import Container, ContainerSpec, Image, ProcessSpec
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.ids import ContainerID, ImageID

LAYER = "sha256:" + "a" * 64
NEW = "sha256:" + "b" * 64
IMAGE = Image(
    ImageID("sha256:" + "1" * 64),
    (LAYER,),
    config=json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "os.version": "7",
            "config": {"Cmd": ["sh"], "Env": ["PATH=/bin"]},
            "history": [{"created_by": "base"}],
            "rootfs": {"type": "layers", "diff_ids": [LAYER]},
        }
    ),
)


def container(echo: dict[str, Any], **process: Any) -> Container:
    spec = ContainerSpec(
        process=ProcessSpec(argv=("sh",), environment=("A=1", "PATH=/bin"), **process),
        hostname="h",
        exposed_ports=("80/tcp",),
        labels={"tier": "back"},
    )
    return Container(
        ContainerID("c" * 64), "web", "", IMAGE.id, "busybox", spec, config_echo=json.dumps(echo)
    )


OWN = container_config(container({"Cmd": ["sleep", "1"]}, user="nobody"), IMAGE)


def test_a_commit_without_changes_runs_what_the_container_ran() -> None:
    config = new_config(CommitRequest(), OWN)

    assert config["Cmd"] == ["sleep", "1"]
    assert (config["User"], config["Env"]) == ("nobody", ["A=1", "PATH=/bin"])
    assert (config["Labels"], config["ExposedPorts"]) == ({"tier": "back"}, {"80/tcp": {}})


@pytest.mark.parametrize(
    ("changes", "field", "wanted"),
    [
        (("ENV A=2 B=3",), "Env", ["A=2", "PATH=/bin", "B=3"]),
        (("CMD echo $A",), "Cmd", ["/bin/sh", "-c", "echo $A"]),
        (('ENTRYPOINT ["top"]',), "Cmd", None),
        (('CMD ["x"]', 'ENTRYPOINT ["top"]'), "Cmd", ["x"]),
        (("EXPOSE 90/udp",), "ExposedPorts", {"80/tcp": {}, "90/udp": {}}),
        (("LABEL tier=front",), "Labels", {"tier": "front"}),
        (("WORKDIR /srv", "WORKDIR app"), "WorkingDir", "/srv/app"),
        (("USER root",), "User", "root"),
    ],
)
def test_changes_are_laid_over_it(changes: tuple[str, ...], field: str, wanted: object) -> None:
    assert new_config(CommitRequest(changes=changes), OWN)[field] == wanted


def test_a_change_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="RUN is not a valid change command"):
        new_config(CommitRequest(changes=("RUN true",)), OWN)


def test_a_configuration_in_the_request_takes_the_rest_from_the_container() -> None:
    config = new_config(CommitRequest(config={"Env": ["A=9"], "Entrypoint": ["top"]}), OWN)

    assert config["Env"] == ["A=9", "PATH=/bin"]
    assert (config["Entrypoint"], config.get("Cmd")) == (["top"], None)
    assert config["User"] == "nobody"


def test_the_document_is_the_parents_with_one_more_step() -> None:
    step = Step(container({}), "2026-01-01T00:00:00Z", "me", "why", "1")

    made = json.loads(document(IMAGE, {"Cmd": ["x"]}, OWN, step, NEW))

    assert made["rootfs"]["diff_ids"] == [LAYER, NEW]
    assert made["history"] == [
        {"created_by": "base"},
        {"created": "2026-01-01T00:00:00Z", "author": "me", "comment": "why", "created_by": "sleep 1"},
    ]
    assert (made["architecture"], made["os.version"], made["author"]) == ("amd64", "7", "me")
    assert (made["config"], made["container"]) == ({"Cmd": ["x"]}, "c" * 64)


def test_a_step_that_changed_no_file_adds_no_layer() -> None:
    made = json.loads(document(IMAGE, {}, OWN, Step(container({}), "now"), EMPTY_LAYER))

    assert made["rootfs"]["diff_ids"] == [LAYER]
    assert made["history"][-1]["empty_layer"] is True
