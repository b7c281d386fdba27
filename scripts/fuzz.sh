#!/usr/bin/env bash
# Builds the fuzzers and runs each of them for FUZZ_SECONDS (60), one per processor at a time. Each begins with what
# tests/corpora keeps for it. What they find, and the inputs that are new, stay in build/fuzz/findings.
# Usage: scripts/fuzz.sh [--keep] [fuzzer…]    no fuzzer: all. --keep runs none, but puts into tests/corpora the fewest
# inputs that reach what those of tests/corpora and build/fuzz/findings reach.
source "$(dirname "$0")/common.sh"
seconds=${FUZZ_SECONDS:-60}
findings=$PWD/build/fuzz/findings
corpora=$PWD/tests/corpora
# A corpus is one file in the repository, of at most so many bytes.
corpus_bytes_max=200000
# A fuzzer may load its corpus for so long beside fuzzing; a hang outside of an input would otherwise last forever.
start_seconds_max=120
limits="-timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 -verbosity=0"

work=run
if [ "${1:-}" = --keep ]; then
  work=keep
  shift
fi

# Whole files to begin with, where the project has some: a fuzzer alone may not come upon the first one for days.
seeds_of() {
  case $1 in
    pytorch_bin_fuzz | zip_archive_fuzz) echo tests/checkpoints/*.bin ;;
    safetensors_fuzz) echo tests/checkpoints/*.safetensors ;;
    tokenizer_json_fuzz) echo tests/checkpoints/*-tokenizer.json tests/goldens/tiny-bert/tokenizer.json ;;
    evaluation_files_fuzz) echo examples/data/qrels.tsv examples/data/keyword.trec ;;
    click_log_fuzz) echo examples/data/clicks.tsv ;;
    corpus_reader_fuzz) echo examples/data/*.jsonl ;;
  esac
}

# Words that an input may need and that nobody guesses: beside the fuzzer, under its name.
dictionary_of() { find src apps -name "$1.dict" -printf '-dict=%p'; }

# Fills the folder of a fuzzer's findings with what it begins from.
prepare() {
  local folder=$findings/$1 seeds
  mkdir -p "$folder/corpus" "$folder/seeds"
  read -ra seeds <<<"$(seeds_of "$1")"
  [ "${#seeds[@]}" -eq 0 ] || cp "${seeds[@]}" "$folder/seeds"
  [ ! -e "$corpora/$1.tar.xz" ] || tar -xJf "$corpora/$1.tar.xz" -C "$folder/seeds"
}

# run NAME: fuzzes, and prints what came of it in one piece when it is done.
run() {
  local name=$1 folder=$findings/$1 status=0
  prepare "$name"
  timeout --kill-after=10 $((seconds + start_seconds_max)) "build/fuzz/bin/$name" $limits $(dictionary_of "$name") \
    -max_total_time="$seconds" -artifact_prefix="$folder/" "$folder/corpus" "$folder/seeds" 2>"$folder/log" || status=$?
  say "$name, $seconds s:" $(grep -oE '(number_of_executed_units|peak_rss_mb): *[0-9]+' "$folder/log")
  [ "$status" -ne 0 ] || return 0
  tail -n 40 "$folder/log" >&2
  warn "$name ended with status $status, out of memory and out of time included: the input is in $folder"
  echo "$name" >>"$TMPDIR/failed"
}

# keep NAME: makes the corpus anew, in an archive that depends on nothing but its content.
keep() {
  local name=$1 merged=$TMPDIR/$1 archive=$corpora/$1.tar.xz seed
  prepare "$name"
  mkdir "$merged"
  "build/fuzz/bin/$name" -merge=1 $limits "$merged" "$findings/$name/corpus" "$findings/$name/seeds" \
    2>"$findings/$name/log" || die "$name could not merge its corpus: $findings/$name/log says why"
  # What the project has anyway is not kept twice: libFuzzer calls an input by its SHA-1.
  for seed in $(seeds_of "$name"); do rm -f "$merged/$(sha1sum <"$seed" | cut -c 1-40)"; done
  mkdir -p "$corpora"
  while true; do
    (cd "$merged" && ls | LC_ALL=C sort | tar --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=0644 \
      --format=ustar -T - -c) | xz -9e >"$archive"
    [ "$(stat -c %s "$archive")" -gt "$corpus_bytes_max" ] || break
    # The largest inputs teach the least for their bytes.
    (cd "$merged" && ls -S | head -n $(($(ls | wc -l) / 20 + 1)) | xargs rm)
  done
  say "$name: $(ls "$merged" | wc -l) inputs in $(stat -c %s "$archive") bytes"
}

scripts/build.sh fuzz "$@"
if [ $# -gt 0 ]; then
  fuzzers=("$@")
else
  fuzzers=(build/fuzz/bin/*_fuzz)
  [ -x "${fuzzers[0]}" ] || die "no fuzzer was built"
  fuzzers=("${fuzzers[@]##*/}")
fi
# Fuzzers write files for what reads files, a thousand times a second, and leave them when they end.
TMPDIR=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" tandem-fuzz-XXXXXX)
trap 'rm -rf "$TMPDIR"' EXIT
export TMPDIR seconds findings corpora corpus_bytes_max start_seconds_max limits
export -f run keep prepare seeds_of dictionary_of say warn die
printf '%s\n' "${fuzzers[@]}" | xargs -P "$(nproc)" -I '{}' bash -c "set -euo pipefail; $work {}"
if [ -e "$TMPDIR/failed" ]; then die "these fuzzers found something: $(sort "$TMPDIR/failed" | xargs)"; fi
