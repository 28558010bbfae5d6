# Completion of PROGRAM for bash. Nothing that hatbox prints is expanded by the shell.
_FUNCTION_answer() {
    local program=$1 line=${COMP_LINE:0:COMP_POINT} answer first rest
    answer=$(command PROGRAM --complete bash "$program" "$COMP_WORDBREAKS" "$line" "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
    COMPREPLY=()
    first=${answer%%$'\n'*}
    rest=${answer#"$first"}
    case $first in
    words)
        local IFS=$'\n' restore_glob=
        case $- in *f*) ;; *) set -f; restore_glob=1 ;; esac
        COMPREPLY=($rest)
        [ -z "$restore_glob" ] || set +f
        ;;
    files) compopt -o default 2>/dev/null ;;
    directories) compopt -o dirnames 2>/dev/null ;;
    'command '*)
        local at=${first#command }
        if declare -F _comp_command_offset >/dev/null; then
            _comp_command_offset "$at"
        elif declare -F _command_offset >/dev/null; then
            _command_offset "$at"
        elif [ "$at" -eq "$COMP_CWORD" ]; then
            local IFS=$'\n'
            COMPREPLY=($(compgen -c -- "${COMP_WORDS[COMP_CWORD]}"))
        else
            compopt -o default 2>/dev/null
        fi
        ;;
    esac
}
_FUNCTION_complete() { _FUNCTION_answer PROGRAM; }
complete -F _FUNCTION_complete PROGRAM
