
# `HAT PROFILE` assumes the role of a profile in this shell, `HAT --drop` takes the credentials away again.
# Values are never expanded, nor words of any program's command line; only builtins see them.
# What the environment brings is of another shell. Only a script that is read again finds what is this one's.
for name in (set --names --export | string match -r '^__hatbox_[a-zA-Z0-9_]+$')
    set -e $name
end
set -q __hatbox_profile; or set -g __hatbox_profile ''
set -q __hatbox_previous; or set -g __hatbox_previous ''

function __hatbox_save
    contains -- $argv[1] $__hatbox_names; and return
    set -ga __hatbox_names $argv[1]
    if set -qg $argv[1]
        set -g __hatbox_old_$argv[1] $$argv[1]
        set -qgx $argv[1]; and set -ga __hatbox_exported $argv[1]
    end
end

# Sets each variable as it was before.
function __hatbox_restore
    for name in $__hatbox_names
        set -l old __hatbox_old_$name
        set -eg $name
        if set -qg $old
            if contains -- $name $__hatbox_exported
                set -gx $name $$old
            else
                set -gu $name $$old
            end
            set -eg $old
        end
    end
    set -g __hatbox_names
    set -g __hatbox_exported
end

# Asks hatbox as if this shell had no credentials: what it set is hidden by variables of this function.
function __hatbox_ask
    for name in $__hatbox_names
        set -l old __hatbox_old_$name
        if contains -- $name $__hatbox_exported
            set -fx $name $$old
        else
            set -fu $name
        end
    end
    command PROGRAM hat $argv
end

# Obtains credentials with these arguments, and sets them.
function __hatbox_obtain
    set -l lines (__hatbox_ask $argv)
    set -l code $status
    test $code -eq 0; or return $code
    string match -q 'profile *' -- "$lines[1]"; and __hatbox_restore
    for line in $lines
        set -l parts (string split -m 2 ' ' -- $line)
        # Security: only what hatbox sets and removes, and no name with brackets, which fish expands.
        if contains -- "$parts[1]" set unset
            string match -rq '^([aA][wW][sS]_[a-zA-Z0-9_]*|[H]ATBOX(_[a-zA-Z0-9_]*)?)$' -- "$parts[2]"; or continue
        end
        switch $parts[1]
            case profile
                set -g __hatbox_profile (string replace 'profile ' '' -- $line)
            case expires
                set -g __hatbox_expires $parts[2]
            case renew
                set -g __hatbox_renew $parts[2]
            case unset
                __hatbox_save $parts[2]
                set -eg $parts[2]
                # One of all sessions shows through.
                set -q $parts[2]; and set -gu $parts[2]
            case set
                __hatbox_save $parts[2]
                set -gx $parts[2] $parts[3]
        end
    end
    return 0
end

function HAT
    # Without the trace, which would show the credentials.
    set -l fish_trace
    set -l profile $__hatbox_profile
    set -l args $__hatbox_args
    switch "$argv[1]"
        case --drop --unset -u
            if test (count $argv) -ne 1
                echo "HAT: error: unexpected argument after `$argv[1]`" >&2
                return 2
            end
            if test -z "$__hatbox_profile"
                echo "HAT: this shell has no credentials of `HAT`" >&2
                return 0
            end
            __hatbox_restore
            set -g __hatbox_profile ''
            set -e __hatbox_expires __hatbox_renew __hatbox_args
        case -
            if test -z "$__hatbox_previous"
                echo "HAT: error: no previous profile in this shell" >&2
                return 2
            end
            __hatbox_obtain --of $__hatbox_previous $__hatbox_previous_args $argv[2..]; or return
            set -g __hatbox_args $__hatbox_previous_args $argv[2..]
        case -h --help
            command PROGRAM hat $argv
            return
        case '*'
            __hatbox_obtain $argv; or return
            set -g __hatbox_args $argv
    end
    if test -n "$profile"
        set -g __hatbox_previous $profile
        set -g __hatbox_previous_args $args
    end
    return 0
end

# Before each prompt: nothing, until it is time to renew. The clock is read without a program: what has passed since a
# directory was changed, and when that was.
function __hatbox_hook --on-event fish_prompt
    test -n "$__hatbox_renew"; or return
    set -l now
    if builtin -q path
        set now (math (path mtime /) + (path mtime -R /))
    else
        set now (date +%s)
    end
    test "$now" -ge "$__hatbox_renew"; or return
    set -l fish_trace
    set -g __hatbox_renew (math $now + 60)
    set -l expires 0
    set -q __hatbox_expires; and set expires $__hatbox_expires
    __hatbox_obtain --renew $expires --of $__hatbox_profile $__hatbox_args
end

complete -c HAT -f -a '(__FUNCTION_candidates hat)'
