# Shared by the scripts beside it, which source it: where the project is, how to speak, how to become root.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '== %s\n' "$*"; }
warn() { printf '\n!! %s\n\n' "$*" >&2; }
die() {
  printf '\n!! %s\n' "$*" >&2
  exit 1
}

# Runs a command as root: directly, or with sudo, which then gets the proxies of the environment too.
as_root() {
  local proxies
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    mapfile -t proxies < <(env | grep -E '^(https?|no)_proxy=' || true)
    sudo env "${proxies[@]}" "$@"
  else
    die "this needs root, and neither are you root nor is there sudo. Run this as root: $*"
  fi
}

# How many compilers to run at once: one per processor, but no more than memory allows (1 GiB each; 2 with sanitizers).
build_jobs() {
  local gib_per_job=${1:-1} processors memory_gib jobs
  processors=$(nproc)
  memory_gib=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
  jobs=$((memory_gib / gib_per_job))
  [ "$jobs" -lt "$processors" ] || jobs=$processors
  [ "$jobs" -ge 1 ] || jobs=1
  echo "$jobs"
}
