#!/usr/bin/env bash
# Pulls models into the model store and links them by their short names under build/models, where the tests look.
# Usage: scripts/models.sh ID…    Exit status 1 when a model could not be had; the others are linked all the same.
source "$(dirname "$0")/common.sh"
mkdir -p build/models
status=0
for id in "$@"; do
  link=build/models/${id##*/}
  # A model that is here and whole is taken without asking anybody.
  if folder=$(build/release/bin/tandem pull --offline "$id" 2>/dev/null) ||
    { say "getting the model $id" && folder=$(build/release/bin/tandem pull "$id"); }; then
    ln -sfn "$folder" "$link"
  else
    warn "the model $id could not be had: the reason is above"
    status=1
  fi
done
exit "$status"
