# Completion of PROGRAM for fish. Nothing that hatbox prints is expanded by the shell.
function __FUNCTION_answer
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    # fish looks for candidates that fit; but flags and values are told apart by what is typed.
    set -l start ''
    string match -q -- '-*' $typed; and set start $typed
    command PROGRAM --complete fish $argv[1] $words $start 2>/dev/null
end
function __FUNCTION_candidates
    set -l lines (__FUNCTION_answer $argv[1])
    switch "$lines[1]"
        case words
            printf '%s\n' $lines[2..]
        case 'command *'
            set -l words (commandline -opc)
            set -l at (math (string replace 'command ' '' -- $lines[1]) + 1)
            set -l rest $words[$at..]
            complete -C (string join ' ' -- (string escape -- $rest) (commandline -ct))
    end
end
function __FUNCTION_wants_files
    set -l lines (__FUNCTION_answer $argv[1])
    contains -- "$lines[1]" files directories
end
complete -c PROGRAM -n 'not __FUNCTION_wants_files PROGRAM' -f -a '(__FUNCTION_candidates PROGRAM)'
complete -c PROGRAM -n '__FUNCTION_wants_files PROGRAM' -F
