#!/usr/bin/env bash
# Measures Tandem and its peers in one run on this machine: `make bench`. Writes benchmarks/results/ and the table of
# the README. Options are those of benchmarks/run.py: --force, --quick, --only ROW…
source "$(dirname "$0")/../scripts/common.sh"
models=${TANDEM_TEST_MODELS:-$PWD/build/models}
if [ -z "${TANDEM_TEST_MODELS:-}" ]; then
  scripts/models.sh sentence-transformers/all-MiniLM-L6-v2 sentence-transformers/all-mpnet-base-v2 \
    cross-encoder/ms-marco-MiniLM-L-12-v2 ||
    die "the benchmark needs all three models"
fi
python=$(tests/oracle/environment.sh benchmarks/requirements.txt)
mkdir -p benchmarks/.cache
"${CXX:-g++}" -O2 -std=c++20 -pthread benchmarks/peak.cc -o benchmarks/.cache/peak
exec "$python" benchmarks/run.py --models "$models" "$@"
