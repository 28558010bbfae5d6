
# `HAT PROFILE` assumes the role of a profile in this shell, `HAT --drop` takes the credentials away again.
# Values are never expanded, nor words of any program's command line; only builtins see them.
__hatbox_names=() __hatbox_args=() __hatbox_previous_args=()
__hatbox_profile='' __hatbox_previous='' __hatbox_expires='' __hatbox_renew=''

__hatbox_save() {
    local name
    for name in "${__hatbox_names[@]}"; do
        [ "$name" != "$1" ] || return 0
    done
    __hatbox_names+=("$1")
    unset "__hatbox_old_$1" "__hatbox_exported_$1"
    if [ -n "${!1+set}" ]; then
        printf -v "__hatbox_old_$1" '%s' "${!1}"
        if [[ $(declare -p "$1" 2>/dev/null) =~ ^declare\ -[a-zA-Z]*x ]]; then
            printf -v "__hatbox_exported_$1" 1
        fi
    fi
}

# Sets each variable as it was before.
__hatbox_restore() {
    local name old exported
    for name in "${__hatbox_names[@]}"; do
        old=__hatbox_old_$name exported=__hatbox_exported_$name
        unset "$name"
        if [ -n "${!old+set}" ]; then
            printf -v "$name" '%s' "${!old}"
            [ -z "${!exported+set}" ] || export "${name?}"
        fi
        unset "$old" "$exported"
    done
    __hatbox_names=()
}

# Whether a line may name this variable. Security: bash runs what is in the brackets of `a[$(...)]`.
__hatbox_is_name() {
    case $1 in
    *[!a-zA-Z0-9_]*) return 1 ;;
    [aA][wW][sS]_* | [H]ATBOX | [H]ATBOX_*) ;;
    *) return 1 ;;
    esac
}

# Obtains credentials with these arguments, as if this shell had none, and sets them.
__hatbox_obtain() {
    local answer line name code
    answer=$(__hatbox_restore; command PROGRAM hat "$@")
    code=$?
    [ "$code" -eq 0 ] || return "$code"
    case $answer in 'profile '*) __hatbox_restore ;; esac
    while [ -n "$answer" ]; do
        line=${answer%%$'\n'*}
        answer=${answer#"$line"}
        answer=${answer#$'\n'}
        case $line in
        'profile '*) __hatbox_profile=${line#profile } ;;
        'expires '*) __hatbox_expires=${line#expires } ;;
        'renew '*) __hatbox_renew=${line#renew } ;;
        'unset '*)
            name=${line#unset }
            __hatbox_is_name "$name" || continue
            __hatbox_save "$name"
            unset "$name"
            ;;
        'set '*)
            line=${line#set }
            name=${line%% *}
            __hatbox_is_name "$name" || continue
            __hatbox_save "$name"
            export "$name=${line#* }"
            ;;
        esac
    done
}

__hatbox_run() {
    local profile=$__hatbox_profile code
    local -a args
    args=("${__hatbox_args[@]}")
    case ${1-} in
    --drop | --unset | -u)
        if [ "$#" -ne 1 ]; then
            echo "HAT: error: unexpected argument after \`$1\`" >&2
            return 2
        fi
        if [ -z "$__hatbox_profile" ]; then
            echo "HAT: this shell has no credentials of \`HAT\`" >&2
            return 0
        fi
        __hatbox_restore
        __hatbox_profile='' __hatbox_expires='' __hatbox_renew=''
        __hatbox_args=()
        ;;
    -)
        if [ -z "$__hatbox_previous" ]; then
            echo "HAT: error: no previous profile in this shell" >&2
            return 2
        fi
        __hatbox_args=("${__hatbox_previous_args[@]}" "${@:2}")
        __hatbox_obtain --of "$__hatbox_previous" "${__hatbox_args[@]}" || { code=$?; __hatbox_args=("${args[@]}"); return "$code"; }
        ;;
    -h | --help)
        command PROGRAM hat "$@"
        return
        ;;
    *)
        __hatbox_obtain "$@" || return
        __hatbox_args=("$@")
        ;;
    esac
    if [ -n "$profile" ]; then
        __hatbox_previous=$profile
        __hatbox_previous_args=("${args[@]}")
    fi
}

# Without the trace of `set -x`, which would show the credentials.
__hatbox_untraced() {
    local traced=0
    case $- in *x*) traced=1; { set +x; } 2>/dev/null ;; esac
    "$@"
    set -- "$?"
    [ "$traced" = 0 ] || set -x
    return "$1"
}

HAT() { __hatbox_untraced __hatbox_run "$@"; }

# Before each prompt: nothing but a comparison, until it is time to renew.
__hatbox_hook() {
    local code=$? now=${EPOCHSECONDS-}
    [ -n "$__hatbox_renew" ] || return "$code"
    if [ -z "$now" ]; then
        printf -v now '%(%s)T' -1 2>/dev/null || now=$(date +%s)
    fi
    if [ "$now" -ge "$__hatbox_renew" ]; then
        __hatbox_renew=$((now + 60))
        __hatbox_untraced __hatbox_obtain --renew "${__hatbox_expires:-0}" --of "$__hatbox_profile" "${__hatbox_args[@]}"
    fi
    return "$code"
}

if [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]]; then
    [[ " ${PROMPT_COMMAND[*]} " == *' __hatbox_hook '* ]] || PROMPT_COMMAND=(__hatbox_hook "${PROMPT_COMMAND[@]}")
else
    [[ ${PROMPT_COMMAND-} == *__hatbox_hook* ]] || PROMPT_COMMAND="__hatbox_hook${PROMPT_COMMAND:+;$PROMPT_COMMAND}"
fi

_hatbox_hat_complete() { _FUNCTION_answer hat; }
complete -F _hatbox_hat_complete HAT
