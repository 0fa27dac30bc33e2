import pytest

from bridgehead.cli.client import CommandFailed
from bridgehead.cli.subnets import subnet_configs


def test_each_word_finds_its_subnet():
    configs = subnet_configs(
        ["10.1.0.0/16", "fd00::/64"],
        ["10.1.2.0/24"],
        ["fd00::1", "10.1.0.1"],
        {"router": "10.1.0.9"},
    )

    assert configs == [
        {
            "Subnet": "10.1.0.0/16",
            "IPRange": "10.1.2.0/24",
            "Gateway": "10.1.0.1",
            "AuxiliaryAddresses": {"router": "10.1.0.9"},
        },
        {"Subnet": "fd00::/64", "Gateway": "fd00::1"},
    ]


@pytest.mark.parametrize(
    ("subnets", "ranges", "gateways", "sentence"),
    [
        ([], [], ["10.1.0.1"], "every ip-range or gateway must have a corresponding subnet"),
        (
            ["10.1.0.0/16", "10.1.2.0/24"],
            [],
            [],
            "multiple overlapping subnet configuration",
        ),
        (["10.1.0.0/16"], ["10.2.0.0/24"], [], "no matching subnet for range 10.2.0.0/24"),
        (["10.1.0.0/16"], [], ["10.2.0.1"], "no matching subnet for gateway 10.2.0.1"),
    ],
)
def test_what_fits_nowhere_is_refused(subnets, ranges, gateways, sentence):
    with pytest.raises(CommandFailed, match=sentence):
        subnet_configs(subnets, ranges, gateways, {})


def test_text_that_is_no_subnet_goes_on_to_the_daemon():
    assert subnet_configs(["999.1.1.1/24"], [], [], {}) == [{"Subnet": "999.1.1.1/24"}]
