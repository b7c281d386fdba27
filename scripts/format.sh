#!/usr/bin/env bash
# Formats every C++ file in place. With --check, changes nothing and fails when a file is not formatted.
source "$(dirname "$0")/common.sh"
mode=(-i)
[ "${1:-}" = --check ] && mode=(--dry-run --Werror)
git ls-files -z '*.h' '*.cc' | xargs -0 clang-format-14 "${mode[@]}"
