#!/usr/bin/env bash
# tools.sh VERSION FOLDER: builds the package rehearsal-tools, which does nothing but have a version.
set -euo pipefail
version=$1 folder=$2
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
mkdir -p "$tree/DEBIAN" "$tree/usr/share/rehearsal-tools"
echo "$version" >"$tree/usr/share/rehearsal-tools/version"
cat >"$tree/DEBIAN/control" <<C
Package: rehearsal-tools
Version: $version
Architecture: all
Maintainer: Rehearsal <rehearsal@example.com>
Description: something to upgrade
C
dpkg-deb --root-owner-group -Zgzip -b "$tree" "$folder/rehearsal-tools_${version}_all.deb" >/dev/null
