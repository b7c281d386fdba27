#!/usr/bin/env bash
# Runs every test of the release build, with the real models where they can be had.
source "$(dirname "$0")/common.sh"
if [ -z "${TANDEM_TEST_MODELS:-}" ]; then
  models_missing=0
  scripts/models.sh sentence-transformers/all-MiniLM-L6-v2 cross-encoder/ms-marco-MiniLM-L-12-v2 \
    BAAI/bge-small-en-v1.5 || models_missing=1
  export TANDEM_TEST_MODELS=$PWD/build/models
else
  models_missing=0
fi

reference_missing=0
if TANDEM_TOKENIZERS_PYTHON=$(tests/oracle/tokenizer_environment.sh); then
  export TANDEM_TOKENIZERS_PYTHON
else
  reference_missing=1
  unset TANDEM_TOKENIZERS_PYTHON
fi

status=0
ctest --preset release || status=$?
if [ "$models_missing" = 1 ]; then
  warn "not every model could be had, so the tests that need the missing ones were SKIPPED: they prove nothing today"
fi
if [ "$reference_missing" = 1 ]; then
  warn "the reference tokenizers could not be installed, so the comparison with them was SKIPPED: the reason is above"
fi
exit "$status"
