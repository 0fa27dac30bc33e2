"""What `docker commit` writes down: the container's configuration, and one more step of history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from bridgehead.core.images import changes as instructions
from bridgehead.core.images.config import ImageConfig, Process, decode
from bridgehead.core.model.container import Container, Image
from bridgehead.core.model.errors import InvalidParameter

EMPTY_LAYER = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
"""Diff id of an archive with nothing in it: a step that changed no file, as Docker has it."""

_BORROWED = ("Cmd", "Entrypoint")
_UNITED = ("ExposedPorts", "Volumes", "Labels")
_KEPT = ("architecture", "variant", "os", "os.version", "os.features")


@dataclass(frozen=True, slots=True)
class CommitRequest:
    """`config` is what the client wants said in place of the container's own configuration, if anything."""

    name: str = ""  # the new image's; '' for none
    author: str = ""
    comment: str = ""
    pause: bool = True
    changes: tuple[str, ...] = ()
    config: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What is said about how the image came to be."""

    container: Container
    created: str
    author: str = ""
    comment: str = ""
    version: str = ""


def container_config(container: Container, image: Image | None) -> dict[str, Any]:
    """The client's words, with what was really made of them where that says more."""
    spec = container.spec
    said = msgspec.json.decode(container.config_echo, type=dict[str, Any])
    own = decode(image.config, ImageConfig, "image configuration").config if image else None
    if said.get("Entrypoint") is None and own:
        said["Cmd"] = own.cmd if said.get("Cmd") is None else said["Cmd"]
        said["Entrypoint"] = own.entrypoint
    exposed: dict[str, object] = {key: {} for key in spec.exposed_ports}
    return {
        **said,
        **({"ExposedPorts": exposed} if exposed else {}),
        "Hostname": spec.hostname,
        "Domainname": spec.domainname,
        "User": spec.process.user,
        "Env": list(spec.process.environment),
        "Image": container.image_reference,
        "WorkingDir": "" if spec.process.working_directory == "/" else spec.process.working_directory,
        "Labels": dict(spec.labels),
    }


def new_config(request: CommitRequest, own: Mapping[str, Any]) -> dict[str, Any]:
    """The image's configuration: the client's (or the container's own), changed, then filled from `own`.

    Raises:
        InvalidParameter: a change is no instruction that makes sense here.
    """
    config = dict(own if request.config is None else request.config)
    if request.changes:
        config = _changed(config, request.changes)
    return _filled(config, own)


def document(
    parent: Image, config: Mapping[str, Any], own: Mapping[str, Any], step: Step, layer: str
) -> bytes:
    """The image's own JSON; `layer` is the new layer's diff id.

    Raises:
        InvalidParameter: the parent's own is damaged.
    """
    base = decode(parent.config, dict[str, Any], "image configuration")
    root = base.get("rootfs") or {}
    layers = [*(root.get("diff_ids") or ())]
    empty = layer == EMPTY_LAYER
    made = {
        **{key: base[key] for key in _KEPT if key in base},
        "config": config,
        "container": step.container.id,
        "container_config": own,
        "created": step.created,
        "docker_version": step.version,
        "history": [*(base.get("history") or ()), _history(step, own, empty=empty)],
        "rootfs": {"type": "layers", "diff_ids": layers if empty else [*layers, layer]},
    }
    if step.author:
        made["author"] = step.author
    return msgspec.json.encode(dict(sorted(made.items())))


def _history(step: Step, own: Mapping[str, Any], *, empty: bool) -> dict[str, object]:
    said = {"author": step.author, "comment": step.comment, "created_by": " ".join(own.get("Cmd") or ())}
    return {
        "created": step.created,
        **{key: value for key, value in said.items() if value},
        **({"empty_layer": True} if empty else {}),
    }


def _changed(config: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    try:
        process = msgspec.convert(config, Process)
    except msgspec.ValidationError as error:
        raise InvalidParameter(f"invalid configuration: {error}") from error
    said = instructions.keywords(changes)
    process = instructions.applied(process, changes)
    if "ENTRYPOINT" in said and "CMD" not in said:
        # The words were meant for what ran before; nobody said that they suit the new program too.
        process = msgspec.structs.replace(process, cmd=None)
    return {**config, "Cmd": process.cmd, **msgspec.to_builtins(process)}


def _filled(config: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What `config` leaves open, as the container has it."""
    filled = {**config, "Env": _environment(config.get("Env") or (), own.get("Env") or ())}
    for key in ("User", "WorkingDir", "StopSignal", "Healthcheck"):
        if not filled.get(key) and own.get(key):
            filled[key] = own[key]
    for key in _UNITED:
        if united := {**(own.get(key) or {}), **(config.get(key) or {})}:
            filled[key] = united
    if not filled.get("Entrypoint"):
        for key in _BORROWED:
            filled[key] = filled.get(key) or own.get(key)
    return filled


def _environment(first: Iterable[str], second: Iterable[str]) -> list[str]:
    known = {variable.partition("=")[0] for variable in first}
    return [*first, *(variable for variable in second if variable.partition("=")[0] not in known)]
