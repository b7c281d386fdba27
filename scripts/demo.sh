#!/usr/bin/env bash
# A two-stage search over the sample documents and 2,000 package descriptions, from nothing to results.
source "$(dirname "$0")/common.sh"
tandem=build/release/bin/tandem
demo=build/demo
packages_wanted=2000
mkdir -p "$demo"

scripts/models.sh sentence-transformers/all-MiniLM-L6-v2 cross-encoder/ms-marco-MiniLM-L-12-v2 ||
  die "the demo needs both models"

if [ ! -s "$demo/packages.jsonl" ]; then
  say "collecting $packages_wanted package descriptions from apt"
  if ! command -v apt-cache >/dev/null; then
    warn "this system has no apt-cache: the demo searches the sample documents alone"
  else
    if [ -z "$(apt-cache dumpavail | grep --max-count=1 '^Description')" ]; then
      as_root apt-get -q -y update || warn "the list of packages could not be fetched"
    fi
    apt-cache dumpavail | python3 scripts/packages_to_jsonl.py --count "$packages_wanted" >"$demo/packages.partial"
    mv "$demo/packages.partial" "$demo/packages.jsonl"
  fi
fi

sources=(examples/data/corpus.jsonl examples/data/faq.jsonl)
[ -s "$demo/packages.jsonl" ] && sources+=("$demo/packages.jsonl")
say "indexing ${#sources[@]} files"
"$tandem" index "$demo/collection" "${sources[@]}" --model sentence-transformers/all-MiniLM-L6-v2
"$tandem" demo search --collection "$demo/collection"
say "try your own: $tandem search $demo/collection 'a question of yours'"
