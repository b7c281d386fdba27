#!/usr/bin/env bash
# Builds everything with each compiler that Tandem is for, and runs the tests that lie beside the code. Takes those
# compilers that this machine has, and names the others. Exit status 1 when one of them fails.
source "$(dirname "$0")/common.sh"
compilers=(g++-12 g++-14 clang++-16 clang++-19)
passed=() failed=() missing=()

for compiler in "${compilers[@]}"; do
  if ! command -v "$compiler" >/dev/null; then
    missing+=("$compiler")
    continue
  fi
  build=build/compilers/$compiler
  say "building everything with $compiler in $build"
  if cmake --preset release -B "$build" -D CMAKE_CXX_COMPILER="$compiler" --log-level=WARNING >/dev/null &&
    cmake --build "$build" --parallel "$(build_jobs)" &&
    ctest --test-dir "$build" --output-on-failure -L beside_the_code; then
    passed+=("$compiler")
  else
    failed+=("$compiler")
  fi
done

[ "${#passed[@]}" = 0 ] || say "passed: ${passed[*]}"
[ "${#missing[@]}" = 0 ] || say "not on this machine: ${missing[*]}"
[ "${#failed[@]}" = 0 ] || die "failed: ${failed[*]}"
