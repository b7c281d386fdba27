#!/usr/bin/env bash
# Builds everything for 64-bit ARM, and runs the tests that lie beside the code under qemu-user, with scalar kernels.
source "$(dirname "$0")/common.sh"
scripts/aarch64_sysroot.sh build/aarch64/sysroot
scripts/build.sh aarch64
ctest --preset aarch64 -L beside_the_code
