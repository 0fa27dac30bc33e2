import pytest

from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.oci.config import User
from bridgehead.core.oci.users import Account, account

PASSWD = "root:x:0:0:root:/root:/bin/sh\nbroken line\nweb:x:33:34:www:/srv:/bin/false\n1234:x:5:6::/odd:\n"
GROUP = "root:x:0:\nstaff:x:50:root,web\nlogs:x:60:web\ndocker:x:70\n"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", Account(User(0, 0, (0, 50)), "/root")),
        ("root", Account(User(0, 0, (0, 50)), "/root")),
        ("web", Account(User(33, 34, (34, 50, 60)), "/srv")),
        ("33", Account(User(33, 34, (34, 50, 60)), "/srv")),
        ("web:logs", Account(User(33, 60, (60,)), "/srv")),
        ("web:71", Account(User(33, 71, (71,)), "/srv")),
        (":staff", Account(User(0, 50, (50,)), "/root")),
        ("4000", Account(User(4000, 0, (0,)), "/")),
        ("4000:4001", Account(User(4000, 4001, (4001,)), "/")),
        ("1234", Account(User(5, 6, (6,)), "/odd")),
    ],
)
def test_user_is_looked_up_in_the_image(wanted, expected):
    actual = account(wanted, passwd=PASSWD, group=GROUP)

    assert expected == actual


def test_image_without_user_files_knows_numbers():
    actual = account("7:8", passwd="", group="")

    assert Account(User(7, 8, (8,)), "/") == actual


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("nobody", "unable to find user nobody: no matching entries in passwd file"),
        ("web:nogroup", "unable to find group nogroup: no matching entries in group file"),
        ("2147483648", "uids and gids must be in range 0-2147483647"),
    ],
)
def test_unknown_user_is_refused(wanted, message):
    with pytest.raises(InvalidParameter, match=message):
        account(wanted, passwd=PASSWD, group=GROUP)
