#!/usr/bin/env bash
# Installs what building Tandem needs and this Debian 12 lacks. Does nothing, quickly, when everything is there.
# Usage: scripts/setup.sh [fuzz] [format] [browser] [aarch64]    the words add what the fuzzers, the formatter, pages in
# a browser and builds for ARM need.
source "$(dirname "$0")/common.sh"

packages=(g++ cmake ninja-build pkg-config ca-certificates python3 python3-pip python3-venv
  libexpected-dev libfmt-dev libcurl4-openssl-dev libsqlite3-dev libsimdjson-dev libssl-dev zlib1g-dev libxxhash-dev
  libcli11-dev libgtest-dev librapidcheck-dev libjs-chart.js)
for extra in "$@"; do
  case $extra in
    fuzz) packages+=(clang-14 libclang-rt-14-dev llvm-14 xz-utils) ;;
    format) packages+=(clang-format-14) ;;
    browser) packages+=(chromium fonts-dejavu-core) ;;
    aarch64) packages+=(g++-aarch64-linux-gnu qemu-user) ;;
    *) die "scripts/setup.sh: unknown word '$extra', want fuzz, format, browser or aarch64" ;;
  esac
done

missing=()
if command -v dpkg-query >/dev/null; then
  installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true)
  for package in "${packages[@]}"; do
    grep -qx "installed $package" <<<"$installed" || missing+=("$package")
  done
else
  missing=("${packages[@]}")
fi
[ "${#missing[@]}" -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  warn "this system has no apt-get, so nothing was installed. Building needs what is in these Debian packages:
   ${missing[*]}"
  exit 0
fi

# One line for every tenth of the way instead of three lines for every package.
apt_progress() {
  awk -F: '
    $1 == "dlstatus" || $1 == "pmstatus" {
      step = ($1 == "dlstatus" ? "downloading" : "installing") " " int($3 / 10) * 10 " %"
      if (step != last) { print "   " step; fflush(); last = step }
      next
    }
    /^[EW]:/ { print; fflush() }'
}

apt() {
  local options=(-q -y -o APT::Status-Fd=1 -o DPkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" "$@" 2>&1 | apt_progress
}

say "installing ${#missing[@]} Debian packages: ${missing[*]}"
if ! apt install --no-install-recommends "${missing[@]}"; then
  say "refreshing the list of packages, then trying once more"
  apt update || warn "the list of packages could not be refreshed: is there a network?"
  apt install --no-install-recommends "${missing[@]}" ||
    die "apt-get could not install them: its own words are above. To see all of them: apt-get install ${missing[*]}"
fi
say "everything that building needs is installed"
