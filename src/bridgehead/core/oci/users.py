"""Who a container's process is: "user[:group]" looked up in the image's own passwd and group files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.oci.config import User

_LARGEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Account:
    user: User
    home: str


def account(wanted: str, *, passwd: str, group: str) -> Account:
    """`passwd` and `group` are the texts of the image's files; empty where it has none.

    Raises:
        InvalidParameter: a name that is in neither file, or a number out of range.
    """
    name, _, group_name = wanted.partition(":")
    fields = _find(passwd, name or "0", least=6)
    uid = _number(fields[2]) if fields else _identifier(name, "user")
    login = fields[0] if fields else ""
    home = fields[5] if fields and fields[5] else "/"
    if group_name:
        gid = _group(group_name, group)
        return Account(User(uid=uid, gid=gid, additional_gids=(gid,)), home)
    gid = _number(fields[3]) if fields else 0
    others = (other for other in _memberships(group, login) if other != gid)
    return Account(User(uid=uid, gid=gid, additional_gids=(gid, *others)), home)


def joined(account: Account, groups: Sequence[str], *, group: str) -> Account:
    """With more groups, by name or number.

    Raises:
        InvalidParameter: a name that the image does not know.
    """
    more = [_group(name, group) for name in groups]
    user = account.user
    gids = tuple(dict.fromkeys((*user.additional_gids, *more)))
    return Account(User(uid=user.uid, gid=user.gid, additional_gids=gids), account.home)


def _group(name: str, text: str) -> int:
    found = _find(text, name, least=3)
    return _number(found[2]) if found else _identifier(name, "group")


def _find(text: str, wanted: str, *, least: int) -> list[str] | None:
    """The line whose name is `wanted`, else the first whose number is."""
    by_number = None
    for fields in _lines(text, least):
        if fields[0] == wanted:
            return fields
        if by_number is None and fields[2] == wanted:
            by_number = fields
    return by_number


def _lines(text: str, least: int) -> Iterator[list[str]]:
    for line in text.splitlines():
        fields = line.strip().split(":")
        if len(fields) >= least and fields[2].isdecimal():
            yield fields


def _memberships(group: str, login: str) -> tuple[int, ...]:
    if not login:
        return ()
    return tuple(
        _number(fields[2]) for fields in _lines(group, 4) if login in fields[3].replace(" ", "").split(",")
    )


def _identifier(text: str, kind: str) -> int:
    if not text.isdecimal():
        if not text:
            return 0
        raise InvalidParameter(f"unable to find {kind} {text}: no matching entries in {_FILES[kind]} file")
    return _number(text)


def _number(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value > _LARGEST_ID:
        raise InvalidParameter(f"uids and gids must be in range 0-{_LARGEST_ID}")
    return value


_FILES = {"user": "passwd", "group": "group"}
