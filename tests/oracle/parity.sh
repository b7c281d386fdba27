#!/usr/bin/env bash
# Compares Tandem with sentence-transformers, on real checkpoints, in the layouts of others and in random folders, and
# its evaluation with pytrec_eval, scipy and scikit-learn, live: `make parity`. Options are those of
# tests/oracle/parity.py.
source "$(dirname "$0")/../../scripts/common.sh"
models=${TANDEM_TEST_MODELS:-$PWD/build/models}
if [ -z "${TANDEM_TEST_MODELS:-}" ]; then
  scripts/models.sh sentence-transformers/all-MiniLM-L6-v2 cross-encoder/ms-marco-MiniLM-L-12-v2 \
    BAAI/bge-small-en-v1.5 || die "the comparison needs all three models"
fi
python=$(tests/oracle/environment.sh tests/oracle/requirements.txt)
status=0
"$python" tests/oracle/parity.py --models "$models" "$@" || status=$?
"$python" tests/oracle/published_layouts.py --models "$models" || status=$?
"$python" tests/oracle/folder_parity.py || status=$?
"$python" tests/oracle/evaluation_parity.py --models "$models" || status=$?
if [ -n "${TANDEM_DATA:-}" ]; then
  "$python" tests/oracle/sts_spearman.py --model "$models/all-MiniLM-L6-v2" || status=$?
fi
exit "$status"
