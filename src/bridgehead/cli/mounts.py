"""`--mount` and `--volume`: what else is seen in a container's file system."""

from collections.abc import Iterable
from pathlib import Path

from bridgehead.cli.client import Body, pairs
from bridgehead.cli.format import byte_count

NAMES = {"source": "src", "destination": "target", "dst": "target", "ro": "readonly"}
SWITCHES = {"readonly", "bind-nonrecursive", "volume-nocopy"}
KEYS = {
    *("type", "src", "target", "readonly", "consistency", "bind-propagation", "bind-nonrecursive"),
    *("bind-recursive", "volume-nocopy", "volume-subpath", "volume-driver", "volume-label", "volume-opt"),
    *("tmpfs-size", "tmpfs-mode", "image-subpath"),
}
REPEATED = {"volume-label", "volume-opt"}


def mount(text: str) -> Body:
    """`type=bind,src=/a,dst=/b,ro` as the API's mount.

    Raises:
        ValueError: a field is none, or the target is missing.
    """
    fields: dict[str, str] = {}
    several: dict[str, list[str]] = {key: [] for key in REPEATED}
    for part in text.split(","):
        key, value = _field(part)
        if key in REPEATED:
            several[key].append(value)
        fields[key] = value
    if not fields.get("target"):
        raise ValueError("target is required")
    return _said(
        {
            "Type": fields.get("type", "volume"),
            "Source": _source(fields),
            "Target": fields["target"],
            "ReadOnly": _on(fields.get("readonly")),
            "Consistency": fields.get("consistency"),
            "BindOptions": _said(
                {
                    "Propagation": fields.get("bind-propagation"),
                    "NonRecursive": _on(fields.get("bind-nonrecursive"))
                    or fields.get("bind-recursive") == "disabled",
                }
            ),
            "VolumeOptions": _volume_options(fields, several),
            "TmpfsOptions": _tmpfs_options(fields),
        }
    )


def _field(part: str) -> tuple[str, str]:
    word, equals, value = part.partition("=")
    key = NAMES.get(word.strip().lower(), word.strip().lower())
    if not equals and key not in SWITCHES:
        raise ValueError(f"invalid field '{part}' must be a key=value pair")
    if key not in KEYS:
        raise ValueError(f"unexpected key '{word}' in '{part}'")
    if key in SWITCHES and value.lower() not in {"", "1", "true", "0", "false"}:
        raise ValueError(f"invalid value for {word}: {value}")
    return key, value or "true" if key in SWITCHES else value


def _on(word: str | None) -> bool:
    return (word or "").lower() in {"1", "true"}


def _source(fields: dict[str, str]) -> str:
    source = fields.get("src", "")
    relative = fields.get("type") == "bind" and source.startswith(".")
    return str(Path(source).absolute()) if relative else source


def _volume_options(fields: dict[str, str], several: dict[str, list[str]]) -> Body:
    driver = _said({"Name": fields.get("volume-driver"), "Options": pairs(several["volume-opt"])})
    return _said(
        {
            "NoCopy": _on(fields.get("volume-nocopy")),
            "Labels": pairs(several["volume-label"]),
            "Subpath": fields.get("volume-subpath"),
            "DriverConfig": driver,
        }
    )


def _tmpfs_options(fields: dict[str, str]) -> Body:
    mode = fields.get("tmpfs-mode", "")
    return _said(
        {
            "SizeBytes": byte_count(fields["tmpfs-size"]) if "tmpfs-size" in fields else 0,
            "Mode": int(mode, 8) if mode else 0,
        }
    )


def _said(fields: Body) -> Body:
    return {key: value for key, value in fields.items() if value}


def binds(words: Iterable[str]) -> list[str]:
    """Those of `--volume` that have a source; a relative one is made absolute."""
    return [_bind(word) for word in words if ":" in word]


def anonymous(words: Iterable[str]) -> dict[str, dict[str, str]]:
    """Those without: volumes that nobody has named."""
    return {word: {} for word in words if ":" not in word}


def _bind(word: str) -> str:
    source, _, rest = word.partition(":")
    return f"{Path(source).absolute()}:{rest}" if source.startswith(".") else word
