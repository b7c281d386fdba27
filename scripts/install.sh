#!/usr/bin/env bash
# Installs the release build. Usage: scripts/install.sh PREFIX
source "$(dirname "$0")/common.sh"
prefix=${1:?usage: scripts/install.sh PREFIX}

# The deepest folder of the prefix that exists decides whether root is needed.
existing=$prefix
while [ ! -e "$existing" ]; do existing=$(dirname "$existing"); done
run=()
[ -w "$existing" ] || run=(as_root)
say "installing under $prefix"
"${run[@]}" cmake --install build/release --prefix "$prefix"
[ -n "${run[*]}" ] && "${run[@]}" ldconfig
say "installed: $prefix/bin/tandem"
