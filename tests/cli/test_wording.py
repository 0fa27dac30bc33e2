import pytest


@pytest.mark.parametrize(
    ("words", "code", "first"),
    [
        ("network ls extra", 1, "bridgehead: 'bridgehead network ls' accepts no arguments"),
        ("network create", 1, "bridgehead: 'bridgehead network create' requires 1 argument"),
        ("network connect a", 1, "bridgehead: 'bridgehead network connect' requires 2 arguments"),
        ("network rm", 1, "bridgehead: 'bridgehead network rm' requires at least 1 argument"),
        ("exec web", 1, "bridgehead: 'bridgehead exec' requires at least 2 arguments"),
        ("images a b", 1, "bridgehead: 'bridgehead images' requires at most 1 argument"),
        ("port", 1, "bridgehead: 'bridgehead port' requires at least 1 and at most 2 arguments"),
        ("network ls --bogus", 125, "unknown flag: --bogus"),
        ("network ls -z", 125, "unknown shorthand flag: 'z' in -z"),
        ("stop -t soon a", 125, 'invalid argument "soon" for "-t, --timeout" flag: strconv.ParseInt: parsing "soon": invalid syntax'),  # noqa: E501
        ("network ls --format", 125, "flag needs an argument: --format"),
        ("network frob", 1, "bridgehead: unknown command: bridgehead network frob"),
        ("frob", 1, "bridgehead: unknown command: bridgehead frob"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_refused_in_dockers_words(bridgehead, words, code, first):
    outcome = bridgehead(*words.split())

    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err.splitlines()[0] == first
    assert outcome.err.rstrip().endswith("--help' for more information")


def test_the_usage_line_repeats_what_may_be_repeated(bridgehead):
    assert (
        "\nUsage:  bridgehead network rm [OPTIONS] NETWORK [NETWORK...]\n" in bridgehead("network", "rm").err
    )


@pytest.mark.parametrize("words", ["network create", "ps", "run", "network", "image", ""])
def test_help_has_no_colour_where_there_is_no_terminal(bridgehead, words):
    printed = bridgehead(*words.split(), "--help").out

    assert printed.startswith(f"Usage:  {' '.join(['bridgehead', *words.split()])} ")
    assert "\033" not in printed


def test_help_names_the_other_ways_to_say_it_and_examples(bridgehead):
    printed = " ".join(bridgehead("ps", "--help").out.split())

    assert "bridgehead container ls" in printed
    assert "Examples: # Stopped ones too bridgehead ps -a" in printed


def test_every_example_belongs_to_a_verb_and_is_understood():
    import shlex

    import click

    from bridgehead.cli.examples import EXAMPLES
    from bridgehead.cli.verbs import root

    for name, examples in EXAMPLES.items():
        for _, words in examples:
            said = shlex.split(words.partition(" > ")[0].partition(" | ")[0])
            ctx = click.Context(root, info_name="bridgehead")
            command = root
            while isinstance(command, click.Group):
                verb = said.pop(0)
                found = command.get_command(ctx, verb)
                assert found is not None, f"{name}: {words}"
                command, ctx = found, click.Context(found, parent=ctx, info_name=verb)
            command.parse_args(ctx, said)
