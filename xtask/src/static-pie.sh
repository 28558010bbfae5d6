#!/bin/sh
# Links for a target of which rustc does not know that it can have static programs at any address (static-PIE), such as
# aarch64-unknown-linux-gnu: rustc asks for a fixed address there. The code is the same; another start file is linked.
# HATBOX_LINKER is the C compiler that links.
for word do
    shift
    case $word in
    -static) set -- "$@" -static-pie ;;
    -no-pie) ;;
    *) set -- "$@" "$word" ;;
    esac
done
exec "$HATBOX_LINKER" "$@"
