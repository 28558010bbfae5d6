#compdef PROGRAM
# Completion of PROGRAM for zsh. Nothing that hatbox prints is expanded by the shell.
_FUNCTION_answer() {
    local program=$1 line tab=$'\t'
    local -a lines values shown before
    before=("${(@Q)words[1,CURRENT-1]}")
    lines=("${(@f)$(command PROGRAM --complete zsh "$program" "${before[@]}" "${(Q)PREFIX}" 2>/dev/null)}")
    case $lines[1] in
    words)
        shift lines
        for line in "${lines[@]}"; do
            values+=("${line%%$tab*}")
            if [[ $line == *$tab* ]]; then
                shown+=("${line%%$tab*}  -- ${line#*$tab}")
            else
                shown+=("$line")
            fi
        done
        if (( ! $#values )); then
            return 1
        elif [[ "${shown[*]}" == "${values[*]}" ]]; then
            compadd -a values
        else
            compadd -l -d shown -a values
        fi
        ;;
    files) _files ;;
    directories) _files -/ ;;
    'command '*)
        local at=$(( ${lines[1]#command } + 1 ))
        words=("${(@)words[at,-1]}")
        (( CURRENT -= at - 1 ))
        _normal
        ;;
    esac
}
_FUNCTION_complete() { _FUNCTION_answer PROGRAM }
if (( ! $+functions[compdef] )); then
    autoload -Uz compinit && compinit
fi
compdef _FUNCTION_complete PROGRAM
