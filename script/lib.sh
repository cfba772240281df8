# What the scripts share. Source it first: it sets `root` and `cache`, and stops on errors.
# shellcheck shell=bash
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=$root/.cache
mkdir -p "$cache"

# say TEXT: a heading between the output of commands.
say() {
    if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
        printf '\n\033[1;36m== %s\033[0m\n' "$*"
    else
        printf '\n== %s\n' "$*"
    fi
}

# packages NAME...: installs the Debian packages that are missing.
packages() {
    local name missing=()
    for name; do
        dpkg -s "$name" >/dev/null 2>&1 || missing+=("$name")
    done
    [[ ${#missing[@]} == 0 ]] && return
    say "Installing ${missing[*]}"
    local sudo=
    [[ $EUID == 0 ]] || sudo=sudo
    $sudo apt-get -qq update
    DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq -y install --no-install-recommends "${missing[@]}" >/dev/null
}

# venv NAME REQUIREMENT...: a Python environment in .cache/NAME that has exactly what is asked for, made once.
venv() {
    local folder=$cache/$1
    shift
    [[ $(cat "$folder/.made-for" 2>/dev/null) == "$*" ]] && return
    say "Installing $* into ${folder#"$root"/}"
    rm -rf "$folder"
    /usr/bin/python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
    echo "$*" >"$folder/.made-for"
}

# collections VENV ANSIBLE NAME...: collections for an environment's ansible-core, from the package `ansible` of that version, which
# holds them all; made once.
collections() {
    local folder=$cache/$1/collections version=$2 wheels name
    shift 2
    [[ $(cat "$folder/.made-for" 2>/dev/null) == "$version $*" ]] && return
    say "Getting the collections $* of ansible $version"
    rm -rf "$folder"
    wheels=$(mktemp -d)
    /usr/bin/python3 -m venv "$wheels/venv"
    "$wheels/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$wheels" "ansible==$version"
    for name; do
        /usr/bin/python3 - "$wheels"/ansible-*.whl "ansible_collections/${name/.//}/" "$folder" <<'P'
import sys, zipfile
wheel, wanted, folder = sys.argv[1:]
archive = zipfile.ZipFile(wheel)
archive.extractall(folder, [n for n in archive.namelist() if n.startswith(wanted)])
P
    done
    rm -rf "$wheels"
    echo "$version $*" >"$folder/.made-for"
}

# rust: a cargo that works, and what linking needs.
rust() {
    packages gcc libc6-dev make ca-certificates pkg-config libssl-dev
    command -v cargo >/dev/null || PATH=${CARGO_HOME:-${HOME:-}/.cargo}/bin:$PATH
    cargo --version >/dev/null 2>&1 && return

    # rustup looks for its toolchains under HOME, which need not be the one that it was installed under
    local cargo installed folder
    if cargo=$(command -v cargo); then
        installed=${cargo%/bin/cargo}
        for folder in "${installed%/*}/.rustup" "${installed%/*}/rustup"; do
            if [[ -z ${RUSTUP_HOME:-} ]] && RUSTUP_HOME=$folder cargo --version >/dev/null 2>&1; then
                export RUSTUP_HOME=$folder
                [[ -n ${CARGO_HOME:-} || ! -w $installed ]] || export CARGO_HOME=$installed
                return
            fi
        done
    fi
    echo "There is no cargo that works: install Rust 1.94 or newer, see https://rustup.rs" >&2
    return 1
}

# musl TARGET: what building for it needs; false if it cannot be had.
musl() {
    rustup target list --installed 2>/dev/null | grep -qx "$1" || rustup target add "$1" >/dev/null 2>&1 || return 1
    packages musl-tools
}

# target: the folder that cargo builds into.
target() {
    (cd "$root" && cargo metadata --quiet --format-version 1 --no-deps) |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/'
}

# build: the rplay binary, into $rplay.
build() {
    rust
    say "Building rplay (the AWS client takes some minutes, once)"
    (cd "$root" && cargo build --quiet --bin rplay)
    rplay=$(target)/debug/rplay
}

# agent: the small static rplay-agent that is sent to hosts, and the one with the rare modules, into $RPLAY_AGENT_DIR,
# where rplay finds them.
agent() {
    rust
    local machine target flags=()
    machine=$(uname -m)
    target=$machine-unknown-linux-musl
    if ! musl "$target"; then
        # static all the same, with the C library that is here
        target=$machine-unknown-linux-gnu
        flags=(--config "target.$target.rustflags=['-C','target-feature=+crt-static']")
    fi
    say "Building the agents (two minutes, once)"
    # their own folder, and none of the flags that are for rplay itself
    local build=(env -u RUSTFLAGS -u RUSTC_WORKSPACE_WRAPPER cargo build --quiet --profile agent --no-default-features --target "$target" "${flags[@]}")
    (cd "$root" && "${build[@]}" --bin rplay-agent && "${build[@]}" --features rare-modules --bin rplay-agent-full)
    RPLAY_AGENT_DIR=$(target)/$target/agent
    export RPLAY_AGENT_DIR
}
