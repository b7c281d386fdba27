#!/usr/bin/env bash
# Builds the fuzzers and runs each of them for FUZZ_SECONDS (60), one per processor at a time. Findings and corpora stay
# in build/fuzz/findings.
source "$(dirname "$0")/common.sh"
seconds=${FUZZ_SECONDS:-60}
scripts/build.sh fuzz
findings=$PWD/build/fuzz/findings

# Whole files to begin with, where the project has some: a fuzzer alone may not come upon the first one for days.
seeds_of() {
  case $1 in
    pytorch_bin_fuzz | zip_archive_fuzz) echo tests/checkpoints/*.bin ;;
    safetensors_fuzz) echo tests/checkpoints/*.safetensors ;;
    tokenizer_json_fuzz) echo tests/checkpoints/*-tokenizer.json tests/goldens/tiny-bert/tokenizer.json ;;
    evaluation_files_fuzz) echo examples/data/qrels.tsv examples/data/keyword.trec ;;
    corpus_reader_fuzz) echo examples/data/*.jsonl ;;
  esac
}

# fuzz PROGRAM: runs it, and prints what it did in one piece when it is done.
fuzz() {
  local name status=0 seeds
  name=$(basename "$1")
  mkdir -p "$findings/$name/corpus" "$findings/$name/seeds"
  read -ra seeds <<<"$(seeds_of "$name")"
  [ "${#seeds[@]}" -eq 0 ] || cp "${seeds[@]}" "$findings/$name/seeds"
  "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$findings/$name/" "$findings/$name/corpus" \
    "$findings/$name/seeds" 2>"$findings/$name/log" || status=1
  say "$name, $seconds s:" $(grep -oE '(number_of_executed_units|peak_rss_mb): *[0-9]+' "$findings/$name/log")
  if [ "$status" -ne 0 ]; then
    tail -n 40 "$findings/$name/log" >&2
    warn "$name found something: the input is in $findings/$name"
  fi
  return "$status"
}

export -f fuzz seeds_of say warn
export seconds findings
fuzzers=(build/fuzz/bin/*_fuzz)
[ -x "${fuzzers[0]}" ] || die "no fuzzer was built"
printf '%s\n' "${fuzzers[@]}" | xargs -P "$(nproc)" -I '{}' bash -c 'fuzz {}'
