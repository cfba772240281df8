#!/usr/bin/env bash
# A stand-in for DC/OS's dcos_generate_config.sh, with the same interface: reads genconf/config.yaml and genconf/ip-detect
# in the current folder, needs Docker, and writes into genconf/serve what the nodes install from. Like the real one,
# it carries what it needs behind its last line.
set -euo pipefail
die() { echo "dcos_generate_config.sh: $*" >&2; exit 1; }
[[ -f genconf/config.yaml ]] || die "genconf/config.yaml is missing"
[[ -x genconf/ip-detect ]] || die "genconf/ip-detect is missing, or cannot be executed"
docker version >/dev/null 2>&1 || die "Docker should be installed and running"

url=$(sed -n "s/^bootstrap_url: *['\"]\{0,1\}\([^'\"]*\).*/\1/p" genconf/config.yaml)
[[ $url == http://*:* ]] || die "bootstrap_url must be where genconf/serve is served, not '$url'"
masters=$(sed -n '/^master_list:/,/^[a-z]/s/^ *- //p' genconf/config.yaml)
[[ -n $masters ]] || die "master_list is empty"
[[ $(wc -l <<<"$masters") == [13579] ]] || die "there must be 1, 3, 5, 7 or 9 masters"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
sed '1,/^#EOF#$/d' "$0" | tar -xz -C "$scratch"
mkdir -p genconf/serve
cp genconf/config.yaml genconf/ip-detect "$scratch/"
tar -C "$scratch" -czf genconf/serve/bootstrap.tar.gz node.py config.yaml ip-detect
sed "s|@bootstrap_url@|$url|" "$scratch/install.sh" >genconf/serve/dcos_install.sh
echo "Generated genconf/serve for $(wc -l <<<"$masters") masters, to be served at $url"
exit 0
#EOF#
