
# `HAT PROFILE` assumes the role of a profile in this shell, `HAT --drop` takes the credentials away again.
# Values are never expanded, nor words of any program's command line; only builtins see them.
typeset -gA __hatbox_old __hatbox_exported
typeset -ga __hatbox_names __hatbox_args __hatbox_previous_args
typeset -g __hatbox_profile= __hatbox_previous= __hatbox_expires= __hatbox_renew=
zmodload zsh/datetime

__hatbox_save() {
    (( ! ${__hatbox_names[(Ie)$1]} )) || return 0
    __hatbox_names+=("$1")
    if (( ${(P)+1} )); then
        __hatbox_old[$1]=${(P)1}
        [[ ${(Pt)1} != *export* ]] || __hatbox_exported[$1]=1
    fi
}

# Sets each variable as it was before.
__hatbox_restore() {
    local name
    for name in "${__hatbox_names[@]}"; do
        unset "$name"
        if (( ${+__hatbox_old[$name]} )); then
            typeset -g "$name=${__hatbox_old[$name]}"
            (( ! ${+__hatbox_exported[$name]} )) || export "$name"
        fi
    done
    __hatbox_names=() __hatbox_old=() __hatbox_exported=()
}

# Whether a line may name this variable. Security: zsh runs what is in the brackets of `a[$(...)]`.
__hatbox_is_name() {
    case $1 in
    *[^a-zA-Z0-9_]*) return 1 ;;
    [aA][wW][sS]_*|[H]ATBOX|[H]ATBOX_*) ;;
    *) return 1 ;;
    esac
}

# Obtains credentials with these arguments, as if this shell had none, and sets them.
__hatbox_obtain() {
    local answer line name code
    answer=$(__hatbox_restore; command PROGRAM hat "$@")
    code=$?
    (( code == 0 )) || return code
    [[ $answer != 'profile '* ]] || __hatbox_restore
    for line in "${(@f)answer}"; do
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
    return 0
}

# Without the trace of `set -x`, which would show the credentials.
HAT() {
    emulate -L zsh
    setopt localoptions no_xtrace
    local profile=$__hatbox_profile
    local -a args
    args=("${__hatbox_args[@]}")
    case ${1-} in
    --drop | --unset | -u)
        if (( $# != 1 )); then
            print -ru2 -- "HAT: error: unexpected argument after \`$1\`"
            return 2
        fi
        if [[ -z $__hatbox_profile ]]; then
            print -ru2 -- "HAT: this shell has no credentials of \`HAT\`"
            return 0
        fi
        __hatbox_restore
        __hatbox_profile= __hatbox_expires= __hatbox_renew=
        __hatbox_args=()
        ;;
    -)
        if [[ -z $__hatbox_previous ]]; then
            print -ru2 -- "HAT: error: no previous profile in this shell"
            return 2
        fi
        __hatbox_obtain --of "$__hatbox_previous" "${__hatbox_previous_args[@]}" "${@:2}" || return
        __hatbox_args=("${__hatbox_previous_args[@]}" "${@:2}")
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
    if [[ -n $profile ]]; then
        __hatbox_previous=$profile
        __hatbox_previous_args=("${args[@]}")
    fi
    return 0
}

# Before each prompt: nothing but a comparison, until it is time to renew.
__hatbox_hook() {
    [[ -n $__hatbox_renew ]] && (( EPOCHSECONDS >= __hatbox_renew )) || return 0
    emulate -L zsh
    setopt localoptions no_xtrace
    __hatbox_renew=$(( EPOCHSECONDS + 60 ))
    __hatbox_obtain --renew "${__hatbox_expires:-0}" --of "$__hatbox_profile" "${__hatbox_args[@]}"
}
autoload -Uz add-zsh-hook
add-zsh-hook precmd __hatbox_hook

_hatbox_hat_complete() { _FUNCTION_answer hat }
compdef _hatbox_hat_complete HAT
