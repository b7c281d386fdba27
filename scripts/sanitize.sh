#!/usr/bin/env bash
# Builds one sanitizer preset and runs its tests. Usage: scripts/sanitize.sh asan|tsan
source "$(dirname "$0")/common.sh"
preset=${1:?usage: scripts/sanitize.sh asan|tsan}
scripts/build.sh "$preset"
exclude=()
if [ "$preset" = tsan ]; then
  # Packing the weights of real models takes ThreadSanitizer minutes. What threads share, they share with tiny ones too.
  unset TANDEM_TEST_MODELS
  exclude=(--exclude-regex cli_models)
elif [ -d build/models ]; then
  export TANDEM_TEST_MODELS=${TANDEM_TEST_MODELS:-$PWD/build/models}
fi
ctest --preset "$preset" "${exclude[@]}"
