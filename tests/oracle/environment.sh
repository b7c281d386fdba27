#!/usr/bin/env bash
# Prints the Python interpreter of an environment that has a requirements file installed, making it first where it is
# missing: .venv-oracle in the project, shared by the parity check and the benchmarks. TANDEM_ORACLE_PYTHON names an
# interpreter that has everything already and is taken as it is.
# Usage: python=$(tests/oracle/environment.sh REQUIREMENTS)
source "$(dirname "$0")/../../scripts/common.sh"
requirements=${1:?usage: tests/oracle/environment.sh REQUIREMENTS}
if [ -n "${TANDEM_ORACLE_PYTHON:-}" ]; then
  [ -x "$TANDEM_ORACLE_PYTHON" ] || die "TANDEM_ORACLE_PYTHON is '$TANDEM_ORACLE_PYTHON', want an interpreter"
  echo "$TANDEM_ORACLE_PYTHON"
  exit 0
fi

environment=$PWD/.venv-oracle
if [ ! -x "$environment/bin/pip" ]; then
  if ! python3 -c 'import ensurepip' 2>/dev/null; then
    say "installing python3-venv" >&2
    as_root apt-get install -q -y --no-install-recommends python3-venv >&2 ||
      die "making a virtual environment needs the Debian package python3-venv"
  fi
  say "making the Python environment $environment" >&2
  python3 -m venv --clear "$environment" >&2
fi

# A stamp holds what was installed, so that a changed requirement is noticed and an interrupted installation goes on.
stamp=$environment/installed-$(basename "$(dirname "$(realpath "$requirements")")")
wanted=$(cat "$requirements" tests/oracle/requirements.txt | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  say "installing $requirements: several GB, some minutes" >&2
  "$environment/bin/pip" install --disable-pip-version-check --quiet --requirement "$requirements" >&2 ||
    die "pip could not install $requirements: its own words are above"
  echo "$wanted" >"$stamp"
fi
echo "$environment/bin/python"
