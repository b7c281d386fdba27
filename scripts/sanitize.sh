#!/usr/bin/env bash
# Builds one sanitizer preset and runs its tests. Usage: scripts/sanitize.sh asan|tsan
source "$(dirname "$0")/common.sh"
preset=${1:?usage: scripts/sanitize.sh asan|tsan}
scripts/build.sh "$preset"
[ -d build/models ] && export TANDEM_TEST_MODELS=${TANDEM_TEST_MODELS:-$PWD/build/models}
# The program's own code runs in one thread, and its tests would take ThreadSanitizer long.
exclude=()
[ "$preset" = tsan ] && exclude=(--exclude-regex cli_models)
ctest --preset "$preset" "${exclude[@]}"
