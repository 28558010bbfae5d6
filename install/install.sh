#!/bin/sh
# Installs hatbox in your home directory, without root: the program, its manual pages and its completions.
#
#   curl -fsSL https://github.com/hatbox/hatbox/releases/latest/download/install.sh | sh
#   sh install.sh --version 0.1.0    # this version
#   sh install.sh --uninstall        # removes what was installed, and nothing else
#
# HATBOX_DOWNLOAD_URL is the address of a mirror: a directory with the archives and SHA256SUMS.
#
# The shell runs nothing below before it has read the closing brace, so an incomplete download does nothing.
{
set -eu

releases=https://github.com/hatbox/hatbox/releases

usage() {
    cat <<'END'
Install hatbox in your home directory

Usage: install.sh [--version VERSION | --uninstall]

Options:
  --version VERSION  Install this version [default: the latest]
  --uninstall        Remove the files that this script installed
  --help             Print help

Environment:
  HATBOX_DOWNLOAD_URL  Download from this directory, https://... (http:// on this machine only)
END
}

say() {
    printf '%s\n' "$*"
}

# Hints are commands that can be pasted, where possible.
fail() {
    printf 'install.sh: error: %s\n' "$1" >&2
    shift
    for hint; do
        printf 'install.sh: hint: %s\n' "$hint" >&2
    done
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# Removes what an attempt left: the temporary directory, and the new files that did not replace old ones.
clean_up() {
    if [ -n "$scratch" ]; then
        if [ -f "$scratch/staged" ]; then
            while IFS= read -r path; do
                rm -f "$path.new.$$"
            done <"$scratch/staged"
        fi
        rm -rf "$scratch"
        scratch=
    fi
}

# Sets the targets that may run here, in order of preference: choose_archive takes the first that is published.
find_targets() {
    system=$(uname -s)
    machine=$(uname -m)
    case $machine in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    *) unknown_system ;;
    esac
    case $system in
    Linux)
        # A 64-bit kernel may run a 32-bit system.
        [ "$(getconf LONG_BIT 2>/dev/null || echo 64)" = 64 ] || unknown_system
        if getconf GNU_LIBC_VERSION >/dev/null 2>&1; then
            targets="$machine-unknown-linux-gnu $machine-unknown-linux-musl"
        else
            # The archives for glibc are linked statically, so they run here too.
            targets="$machine-unknown-linux-musl $machine-unknown-linux-gnu"
        fi
        ;;
    Darwin)
        # Under Rosetta, uname reports the emulated processor.
        [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || echo 0)" = 1 ] && machine=aarch64
        targets=$machine-apple-darwin
        ;;
    MINGW* | MSYS* | CYGWIN*)
        fail "this script does not install on Windows" "run install.ps1 in PowerShell"
        ;;
    *) unknown_system ;;
    esac
}

unknown_system() {
    fail "no archive for this system: $(uname -s) on $(uname -m)" \
        "build hatbox from its source: cargo install --locked --git https://github.com/hatbox/hatbox hatbox"
}

# Sets the address to download from. Plain http is allowed only for mirrors on this machine: on a network, anyone in
# between could change the files.
find_address() {
    protocol="=https" redirects=10
    if [ -n "${HATBOX_DOWNLOAD_URL-}" ]; then
        address=${HATBOX_DOWNLOAD_URL%/}
        case $address in
        *@*) fail "invalid HATBOX_DOWNLOAD_URL: it may not contain a user name" ;;
        https://*) ;;
        # A redirect could lead to another machine.
        http://127.0.0.1[:/]* | http://127.0.0.1 | http://localhost[:/]* | http://localhost)
            protocol="=http" redirects=0
            ;;
        *) fail "invalid HATBOX_DOWNLOAD_URL \`$address\`: expected https://..." ;;
        esac
    elif [ -n "$version" ]; then
        address=$releases/download/v$version
    else
        address=$releases/latest/download
    fi
}

find_downloader() {
    if has curl; then
        downloader=curl
    elif has wget; then
        case $(wget --version 2>/dev/null || :) in
        *"GNU Wget"*) downloader=wget ;;
        *)
            downloader=other-wget
            if [ "$protocol" = "=https" ]; then
                say "Note: this wget may not verify certificates. Install curl to be sure of the server."
            fi
            ;;
        esac
    else
        fail "neither curl nor wget is installed" "install one of them, for example: sudo apt-get install curl"
    fi
}

# Downloads $1 to $2, and follows redirects to https alone: wget itself would also follow one to plain http.
download_by_wget() {
    from=$1 left=$redirects
    until wget --quiet --server-response --max-redirect=0 --timeout=60 --tries=3 --output-document="$2" "$from" \
        2>"$scratch/answer"; do
        next=''
        while read -r name value _; do
            case $name in [Ll]ocation:) next=$value ;; esac
        done <"$scratch/answer"
        case $next in
        https://*) [ "$left" != 0 ] || return 1 ;;
        '') return 1 ;;
        *) fail "$from redirects to $next, which is not https://" ;;
        esac
        from=$next left=$((left - 1))
    done
}

# Downloads the file $1 from the address to $2.
download() {
    case $downloader in
    curl)
        curl --proto "$protocol" --fail --silent --show-error --location --max-redirs "$redirects" --retry 2 \
            --connect-timeout 20 --max-time 900 --max-filesize 200000000 --output "$2" "$address/$1"
        ;;
    wget) download_by_wget "$address/$1" "$2" ;;
    # BusyBox's wget in Debian 12 crashes with a time limit.
    other-wget) wget -q -O "$2" "$address/$1" ;;
    esac
}

# Finds the archive for the first target that SHA256SUMS lists. Sets archive, digest and version.
choose_archive() {
    for target in $targets; do
        archive='' found=''
        while read -r sum name _; do
            name=${name#\*}
            case $name in
            hatbox-*-"$target".tar.gz) ;;
            *) continue ;;
            esac
            this=${name#hatbox-}
            this=${this%-"$target".tar.gz}
            # It becomes part of file names and addresses below.
            case $this in
            '' | .* | *[!0-9A-Za-z.+-]*) continue ;;
            esac
            case $sum in
            *[!0-9a-f]*) continue ;;
            esac
            [ ${#sum} = 64 ] || continue
            [ -z "$version" ] || [ "$this" = "$version" ] || continue
            [ -z "$archive" ] || fail "$address has several versions: $found and $this" \
                "choose one: --version $this"
            archive=$name digest=$sum found=$this
        done <"$scratch/SHA256SUMS"
        if [ -n "$archive" ]; then
            version=$found
            return
        fi
    done
    fail "$address/SHA256SUMS lists no archive ${version:+of version $version }for ${targets%% *}" \
        "see $releases for all versions"
}

digest_of() {
    if has sha256sum; then
        sha256sum "$1"
    elif has shasum; then
        shasum -a 256 "$1"
    elif has openssl; then
        openssl dgst -sha256 -r "$1"
    else
        fail "no program to verify the download with" "install sha256sum (coreutils), shasum or openssl"
    fi
}

# Copies the file $1 next to its destination $2, with mode $3, and records the destination. If the disk is full, this
# fails while the old version is still complete.
stage() {
    [ ! -d "$2" ] || fail "$2 is a directory"
    mkdir -p "${2%/*}" && printf '%s\n' "$2" >>"$scratch/staged" && cp "$1" "$2.new.$$" && chmod "$3" "$2.new.$$"
}

# `set -e` has no effect in a function whose result is tested, hence each `|| return`.
stage_all() {
    : >"$scratch/staged" || return
    for page in "$unpacked"/man/*.1 "$unpacked"/man/man1/*.1; do
        [ -f "$page" ] || continue
        stage "$page" "$data/man/man1/${page##*/}" 644 || return
    done
    for script in "$unpacked"/completions/*; do
        case ${script##*/} in
        hatbox.bash | hatbox) stage "$script" "$data/bash-completion/completions/hatbox" 644 || return ;;
        _hatbox | hatbox.zsh) stage "$script" "$data/zsh/site-functions/_hatbox" 644 || return ;;
        hatbox.fish) stage "$script" "$data/fish/vendor_completions.d/hatbox.fish" 644 || return ;;
        esac
    done
    for text in "$unpacked"/LICENSE-* "$unpacked"/*.md "$unpacked"/*.txt; do
        [ -f "$text" ] || continue
        stage "$text" "$doc/${text##*/}" 644 || return
    done
    # The list for --uninstall. The program is last, so that it never runs without its other files.
    printf '%s\n' "$bin/hatbox" | cat "$scratch/staged" - >"$scratch/list" || return
    stage "$scratch/list" "$list" 644 || return
    stage "$unpacked/hatbox" "$bin/hatbox" 755
}

# Removes files of the previous version that this one does not have.
remove_others() {
    if [ -f "$scratch/before" ]; then
        while IFS= read -r path; do
            grep -Fqx -e "$path" "$list" || remove "$path"
        done <"$scratch/before"
    fi
}

# Removes a file on the list, if this script could have installed it.
remove() {
    case $1 in
    */../* | */..) ;;
    "$bin/hatbox" | "$data"/man/man1/hatbox*.1 | "$doc"/* | "$data"/bash-completion/completions/hatbox | \
        "$data"/zsh/site-functions/_hatbox | "$data"/fish/vendor_completions.d/hatbox.fish) rm -f "$1" ;;
    esac
}

install() {
    find_targets
    find_address
    find_downloader
    has tar || fail "tar is not installed"
    # Not in /tmp, which may be mounted noexec, or on another disk.
    full="see whether the disk is full: df -h \"\$HOME\""
    if ! { mkdir -p "$HOME/.local" && scratch=$(mktemp -d "$HOME/.local/hatbox-install.XXXXXX"); }; then
        fail "cannot create a directory in $HOME/.local" "$full"
    fi
    say "Downloading from $address"
    download SHA256SUMS "$scratch/SHA256SUMS" || fail "cannot download $address/SHA256SUMS" "$full"
    choose_archive
    # There may be a newer release by now.
    [ -n "${HATBOX_DOWNLOAD_URL-}" ] || address=$releases/download/v$version
    download "$archive" "$scratch/$archive" || fail "cannot download $address/$archive" "$full"
    actual=$(digest_of "$scratch/$archive") || exit 1
    actual=${actual%% *}
    [ "$actual" = "$digest" ] || fail \
        "the SHA-256 of $archive is $actual, not $digest as in SHA256SUMS; nothing was installed" \
        "run this again; if it fails again, report it: $releases"
    say "Verified the SHA-256 of $archive"
    tar -xzf "$scratch/$archive" -C "$scratch" || fail "cannot unpack $archive" "$full"
    unpacked=$scratch/hatbox-$version-$target
    [ -f "$unpacked/hatbox" ] || fail "$archive has no program"
    chmod 755 "$unpacked/hatbox"
    "$unpacked/hatbox" --version >/dev/null 2>"$scratch/why" ||
        fail "hatbox $version does not run on this system: $(head -n 3 "$scratch/why")"
    [ ! -f "$list" ] || cp "$list" "$scratch/before"
    stage_all || fail "cannot write below $HOME/.local; nothing was changed" "$full"
    while IFS= read -r path; do
        mv -f "$path.new.$$" "$path" || fail "cannot replace $path"
    done <"$scratch/staged"
    remove_others
    clean_up
    report
}

report() {
    say "Installed hatbox $version:"
    say "  $bin/hatbox"
    say "  manual pages, completions and documents below $data"
    case :$PATH: in
    *:"$bin":*)
        first=$(command -v hatbox || :)
        [ "$first" = "$bin/hatbox" ] || say "Note: \`hatbox\` runs $first, which comes first in PATH."
        ;;
    *)
        say "$bin is not in PATH. Add this line to your shell's startup file:"
        # shellcheck disable=SC2016 # The line is to be pasted as it is.
        say '  export PATH="$HOME/.local/bin:$PATH"'
        ;;
    esac
    say "To undo: run this script with --uninstall. Try it: hatbox sandbox demo"
}

uninstall() {
    [ -f "$list" ] || fail "hatbox was not installed by this script: $list does not exist"
    while IFS= read -r path; do
        remove "$path"
    done <"$list"
    rm -f "$list"
    rmdir "$doc" 2>/dev/null || :
    say "Removed hatbox from $bin and $data."
    say "Your access keys, settings and ~/.aws are still there. To delete what hatbox keeps, remove:"
    say "  ${XDG_CONFIG_HOME:-$HOME/.config}/hatbox ${XDG_DATA_HOME:-$HOME/.local/share}/hatbox" \
        "${XDG_STATE_HOME:-$HOME/.local/state}/hatbox ${XDG_CACHE_HOME:-$HOME/.cache}/hatbox"
}

main() {
    scratch='' version='' action=install
    while [ $# != 0 ]; do
        case $1 in
        --version)
            [ $# != 1 ] || fail "--version needs a version, such as 0.1.0"
            version=${2#v}
            shift
            ;;
        --version=*) version=${1#--version=} version=${version#v} ;;
        --uninstall) action=uninstall ;;
        --help | -h)
            usage
            exit
            ;;
        *) fail "unknown option \`$1\`" "sh install.sh --help" ;;
        esac
        shift
    done
    case $version in
    *[!0-9A-Za-z.+-]*) fail "invalid version \`$version\`: expected one such as 0.1.0" ;;
    esac
    case ${HOME-} in
    /*) ;;
    *) fail "HOME is not set to a directory" ;;
    esac
    bin=$HOME/.local/bin
    data=$HOME/.local/share
    doc=$data/doc/hatbox
    list=$doc/installed-files
    umask 022
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    "$action"
}

main "$@"
}
