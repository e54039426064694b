#!/bin/sh
# Starts `cargo xtask` with the arguments given, on a machine that may lack something or keep it in an unusual place.
# Everything that is missing is named before anything is built, one sentence each.
set -eu
cd "$(dirname "$0")/.."

lacking=no
missing() {
    printf 'sluice: %s\n' "$1" >&2
    lacking=yes
}
note() { printf 'sluice: %s\n' "$1" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
# at_least 1.96.1 1.95.0
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# HOME may be unset, or set to an empty directory while the tools are installed in the account's real home.
account_home=$(eval "printf '%s' ~$(id -un)")
HOME=${HOME:-$account_home}
export HOME

find_cargo() {
    for directory in "${CARGO_HOME:+$CARGO_HOME/bin}" "$HOME/.cargo/bin" "$account_home/.cargo/bin" /usr/local/cargo/bin; do
        if [ -n "$directory" ] && [ -x "$directory/cargo" ]; then
            PATH="$directory:$PATH"
            export PATH
            return
        fi
    done
}

# rustup looks for its toolchains under HOME. When they are not there, they are beside the directory that holds cargo.
find_toolchains() {
    [ -z "${RUSTUP_HOME:-}" ] && [ ! -d "$HOME/.rustup/toolchains" ] || return 0
    beside=$(dirname "$(dirname "$(dirname "$(command -v rustup)")")")
    for directory in "$beside/.rustup" "$beside/rustup" "$account_home/.rustup" /usr/local/rustup; do
        if [ -d "$directory/toolchains" ]; then
            RUSTUP_HOME=$directory
            export RUSTUP_HOME
            return
        fi
    done
}

# Where the pinned toolchain is not installed and cannot be fetched, an installed one that is new enough will do;
# one of exactly the pinned version comes first.
find_other_toolchain() {
    chosen=''
    for toolchain in $(rustup toolchain list 2>/dev/null | cut -d' ' -f1); do
        found=$(rustup run "$toolchain" rustc --version 2>/dev/null | cut -d' ' -f2) || continue
        case $found in
            "$pinned") chosen=$toolchain; version=$found; break ;;
            '' | *-nightly | *-beta*) ;;
            *) if at_least "$found" "$pinned"; then chosen=$toolchain; version=$found; fi ;;
        esac
    done
    [ -n "$chosen" ] || return 1
    RUSTUP_TOOLCHAIN=$chosen
    export RUSTUP_TOOLCHAIN
    note "Rust $pinned is not installed under its own name; going on with the toolchain $chosen ($version)."
}

pinned=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)
check_rust() {
    have cargo || find_cargo
    if ! have cargo; then
        missing "cargo is missing; install Rust from https://rustup.rs and run this again."
        return
    fi
    if have rustup; then find_toolchains; fi
    if ! problem=$(cargo --version 2>&1) && ! { have rustup && find_other_toolchain; }; then
        printf '%s\n' "$problem" >&2
        missing "Rust $pinned is not installed; run: rustup toolchain install $pinned --profile minimal --component clippy,rustfmt"
        return
    fi
    found=$(cargo --version | cut -d' ' -f2)
    at_least "$found" "$pinned" || missing "cargo is version $found, and $pinned or newer is needed; install Rust from https://rustup.rs"
    if [ "$goal" = test ]; then
        cargo clippy --version >/dev/null 2>&1 || missing "clippy is missing; run: rustup component add clippy"
        cargo fmt --version >/dev/null 2>&1 || missing "rustfmt is missing; run: rustup component add rustfmt"
    fi
}

check_java() {
    javac=${JAVA_HOME:+$JAVA_HOME/bin/}javac
    if ! have "$javac"; then
        missing "a Java development kit is missing ($javac was not found); install JDK 17, for example: apt-get install openjdk-17-jdk-headless"
    else
        found=$("$javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
        [ "${found:-0}" -ge 17 ] || missing "$javac is version ${found:-unknown}, and 17 or newer is needed; install JDK 17 or point JAVA_HOME to it"
    fi
    have mvn || missing "Maven (mvn) is missing; install it, for example: apt-get install maven"
}

goal=${1:-}
case $goal in
    demo | test)
        check_rust
        have "${CC:-cc}" || missing "a C compiler (${CC:-cc}) is missing, and SQLite is compiled from source; install one, for example: apt-get install build-essential"
        check_java
        python3 -m pip --version >/dev/null 2>&1 ||
            note "python3 with pip was not found; Flink can then come from Apache's archive only, not from PyPI."
        ;;
    *) check_rust ;;
esac
if [ "$goal" = test ]; then
    have git || missing "git is missing; install it, for example: apt-get install git"
    have go || [ -n "${KUBEBUILDER_ASSETS:-}" ] ||
        missing "Go is missing, and the API server that the tests run against is built with it; install Go 1.24 or newer from https://go.dev/dl, or name a directory that holds kube-apiserver and etcd in KUBEBUILDER_ASSETS"
fi
[ "$lacking" = no ] || exit 1

# Without --quiet cargo would show its own progress, but on every run.
[ -x "${CARGO_TARGET_DIR:-target}/debug/xtask" ] || note "Building the project's own tools first, which takes a minute or two."

exec cargo run --quiet --locked --package xtask -- "$@"
