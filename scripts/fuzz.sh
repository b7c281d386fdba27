#!/usr/bin/env bash
# Builds the fuzzers and runs each of them for FUZZ_SECONDS (60). Findings and corpora stay in build/fuzz/findings.
source "$(dirname "$0")/common.sh"
seconds=${FUZZ_SECONDS:-60}
scripts/build.sh fuzz
findings=$PWD/build/fuzz/findings
status=0
ran=0
for fuzzer in build/fuzz/bin/*_fuzz; do
  [ -x "$fuzzer" ] || continue
  name=$(basename "$fuzzer")
  mkdir -p "$findings/$name/corpus"
  say "fuzzing with $name for $seconds s"
  ran=$((ran + 1))
  "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$findings/$name/" "$findings/$name/corpus" 2>"$findings/$name/log" ||
    {
      tail -n 40 "$findings/$name/log" >&2
      warn "$name found something: the input is in $findings/$name"
      status=1
    }
  grep -E 'number_of_executed_units|peak_rss_mb' "$findings/$name/log" || true
done
[ "$ran" -gt 0 ] || die "no fuzzer was built"
exit "$status"
