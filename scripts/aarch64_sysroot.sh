#!/usr/bin/env bash
# Unpacks into a folder what Tandem is linked with from Debian, built for aarch64, and leaves this system as it is: no
# second architecture, nothing installed. Usage: scripts/aarch64_sysroot.sh FOLDER
source "$(dirname "$0")/common.sh"
sysroot=${1:?usage: scripts/aarch64_sysroot.sh FOLDER}
packages=(libc6-dev libexpected-dev libfmt-dev libcurl4-openssl-dev libsqlite3-dev libsimdjson-dev libssl-dev zlib1g-dev
  libxxhash-dev libcli11-dev libgtest-dev librapidcheck-dev libjs-chart.js)

complete=$sysroot/complete
[ "$(cat "$complete" 2>/dev/null)" = "${packages[*]}" ] && exit 0
command -v apt-get >/dev/null || die "the libraries for aarch64 are Debian's packages, and this system has no apt-get"
rm -rf "$sysroot"
mkdir -p "$sysroot/apt/lists/partial" "$sysroot/apt/archives/partial"
: >"$sysroot/apt/status"

# An apt that knows nothing of what is installed here, so that it brings all that the packages depend on.
options=(-q -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Install-Recommends=false
  -o Dir::State::lists="$PWD/$sysroot/apt/lists" -o Dir::State::status="$PWD/$sysroot/apt/status"
  -o Dir::Cache="$PWD/$sysroot/apt" -o Dir::Cache::archives="$PWD/$sysroot/apt/archives" -o APT::Sandbox::User=root)
say "getting the libraries for aarch64 into $sysroot"
{
  apt-get "${options[@]}" update
  apt-get "${options[@]}" -y --download-only install "${packages[@]}"
} >"$sysroot/apt/log" 2>&1 || die "the packages could not be had: $(tail -3 "$sysroot/apt/log")"
for package in "$sysroot"/apt/archives/*.deb; do dpkg-deb --extract "$package" "$sysroot"; done
rm -rf "$sysroot/apt"
# Links that lead to the root of a system lead to this folder instead.
find "$sysroot" -type l -lname '/*' -printf '%p\t%l\n' | while IFS=$'\t' read -r link target; do
  ln -sfnr "$sysroot$target" "$link"
done
echo "${packages[*]}" >"$complete"
