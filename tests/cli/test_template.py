import pytest

from bridgehead.cli.client import CommandFailed
from bridgehead.cli.template import render

VALUE = {
    "Name": "/c1",
    "State": {"Running": True, "Pid": 42},
    "Empty": None,
    "Labels": {"a.b": "c"},
    "Networks": {"back": {"IP": "10.0.0.2"}, "front": {"IP": "10.1.0.2"}},
    "List": ["x", "y"],
}


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("{{.Name}} is {{ .State.Running }}", "/c1 is true"),
        ("{{json .State}}", '{"Running":true,"Pid":42}'),
        ("{{.Empty}}", "<no value>"),
        ('{{index .Labels "a.b"}}', "c"),
        ("{{index .List 1}}", "y"),
        ("{{len .List}}", "2"),
        ("{{.List}} {{.Labels}}", "[x y] map[a.b:c]"),
        ("{{range .List}}<{{.}}>{{end}}", "<x><y>"),
        ("{{range $name, $n := .Networks}}{{$name}}={{$n.IP}} {{end}}", "back=10.0.0.2 front=10.1.0.2 "),
        ("{{range .Networks}}{{println .IP}}{{end}}", "10.0.0.2\n10.1.0.2\n"),
        ("{{if .State.Running}}up{{else}}down{{end}}", "up"),
        ("{{if .Empty}}up{{else}}down{{end}}", "down"),
        ("{{range .Empty}}x{{else}}none{{end}}", "none"),
        ('{{(index .Networks "back").IP}}', "10.0.0.2"),
        ("table {{.Name}}\\t{{.State.Pid}}", "/c1\t42"),
    ],
)
def test_templates_in_wide_use_work(layout, expected):
    assert expected == render(layout, VALUE)


@pytest.mark.parametrize("layout", ["{{.Nope}}", "{{frob .Name}}", "{{range .List}}", "{{end}}", "{{}}"])
def test_what_is_not_understood_is_refused(layout):
    with pytest.raises(CommandFailed, match="template"):
        render(layout, VALUE)
