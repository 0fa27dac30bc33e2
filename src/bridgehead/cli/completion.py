"""`bridgehead completion SHELL`: the script by which a shell asks `bridgehead __complete`."""

import click

from bridgehead.cli.verb import Verb

BASH = r"""# bash completion for bridgehead
_bridgehead() {
    local line=${COMP_LINE:0:COMP_POINT} candidate words typed prefix
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    typed=${words[-1]}
    prefix=${typed%"${typed##*[:=]}"}  # bash completes from the last : or = on
    COMPREPLY=()
    while IFS= read -r candidate; do
        candidate=${candidate%%$'\t'*}
        COMPREPLY+=("${candidate#"$prefix"}")
    done < <(bridgehead __complete "${words[@]:1}" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o default -F _bridgehead bridgehead
"""
ZSH = r"""#compdef bridgehead
_bridgehead() {
    local candidate
    local -a found
    while IFS= read -r candidate; do
        found+=("${${candidate%%$'\t'*}//:/\\:}:${candidate#*$'\t'}")
    done < <(bridgehead __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
    if (( ${#found} )); then
        _describe -V bridgehead found
    else
        _files
    fi
}
compdef _bridgehead bridgehead
"""
FISH = r"""# fish completion for bridgehead
function __bridgehead_complete
    set -l words (commandline -opc) (commandline -ct)
    bridgehead __complete $words[2..-1] 2>/dev/null
end
complete -c bridgehead -a '(__bridgehead_complete)'
"""
SCRIPTS = {"bash": BASH, "fish": FISH, "zsh": ZSH}


@click.command(cls=Verb)
@click.argument("shell", type=click.Choice(sorted(SCRIPTS)), metavar="SHELL")
def completion(*, shell: str) -> None:
    """Print the completion script for bash, fish or zsh"""
    print(SCRIPTS[shell], end="")
