#!/usr/bin/env bash
# Measures what each stage of the pipeline is worth on the retrieval sets in TANDEM_DATA and writes docs/quality.md:
# `make quality`. What was measured before is kept; options are those of benchmarks/quality.py: --minutes, --only.
source "$(dirname "$0")/../scripts/common.sh"
[ -d "${TANDEM_DATA:-}" ] || die "TANDEM_DATA is '${TANDEM_DATA:-}', want the folder with the retrieval sets"
mkdir -p benchmarks/.cache/quality
exec python3 benchmarks/quality.py "$@"
