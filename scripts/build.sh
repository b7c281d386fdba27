#!/usr/bin/env bash
# Configures and builds one CMake preset. Usage: scripts/build.sh PRESET [target…]    no target: everything
source "$(dirname "$0")/common.sh"
preset=${1:?usage: scripts/build.sh PRESET [target…]}
shift
targets=()
[ $# -gt 0 ] && targets=(--target "$@")
case $preset in asan | tsan | fuzz) gib_per_job=2 ;; *) gib_per_job=1 ;; esac

say "building the $preset preset in build/$preset"
cmake --preset "$preset" --log-level=WARNING >/dev/null
cmake --build --preset "$preset" --parallel "$(build_jobs "$gib_per_job")" "${targets[@]}"
