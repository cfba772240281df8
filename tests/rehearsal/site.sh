#!/usr/bin/env bash
# site.sh SITE ROOT KEYS: makes what the stand-in for the internet serves (see internet.py), a folder for each name.
#
# ROOT is the root that root.sh has made: some packages are Debian's own and lie there. The others are made here.
# KEYS is the folder of keys that root.sh has made.
#
#   archive.ubuntu.com          an apt repository: unzip and ipset as in Debian; `python`, which is python3 under that name;
#                               rehearsal-tools 1.1, of which the image has 1.0
#   apt.dockerproject.org       one with docker-engine: Debian's Docker, an init script and a unit file; and its key
#   bootstrap.pypa.io           get-pip.py
#   pypi.org                    an index of pip (as in Debian) and docker-py (which holds nothing)
#   downloads.dcos.io           the installer of DC/OS and its command line, see dcos/
#   registry-1.docker.io        the image nginx: busybox's httpd
#   keyserver                   for ha.pool.sks-keyservers.net: the key that Docker signed with: public, and as it was, since a fingerprint cannot be imitated
set -euo pipefail
site=${1:?the folder to make} root=${2:?a root} keys=${3:?the folder of keys}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
hosts=(archive.ubuntu.com apt.dockerproject.org bootstrap.pypa.io pypi.org downloads.dcos.io registry-1.docker.io ha.pool.sks-keyservers.net)

rm -rf "$site"
mkdir -p "$site"
site=$(cd "$site" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"; gpgconf --homedir "$keys/gpg" --kill all 2>/dev/null || true' EXIT
printf '%s\n' "${hosts[@]}" >"$site/names"

# the certificate of all these names
openssl req -newkey rsa:2048 -nodes -subj '/CN=the internet, a stand-in' -keyout "$scratch/server.key" -out "$scratch/server.csr" 2>/dev/null
openssl x509 -req -in "$scratch/server.csr" -CA "$keys/ca.crt" -CAkey "$keys/ca.key" -CAcreateserial -days 3650 -out "$scratch/server.crt" \
    -extfile <(printf 'subjectAltName=%s' "$(printf 'DNS:%s,' "${hosts[@]}" | sed 's/,$//')") 2>/dev/null
(umask 077 && cat "$scratch/server.key" "$scratch/server.crt" >"$site/server.pem")
gpg=(gpg --homedir "$keys/gpg" --batch --quiet --no-tty --yes)

# deb FOLDER NAME VERSION [FIELD...]: builds a package of what lies in $scratch/tree.
deb() {
    local folder=$1 name=$2 version=$3 tree=$scratch/tree
    shift 3
    mkdir -p "$tree/DEBIAN"
    {
        printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Rehearsal <rehearsal@example.com>\n' "$name" "$version"
        [[ $# == 0 ]] || printf '%s\n' "$@"
        printf 'Description: a stand-in for rehearsals\n'
    } >"$tree/DEBIAN/control"
    chmod -R u=rwX,go=rX "$tree"
    dpkg-deb --root-owner-group -Zgzip -b "$tree" "$folder/${name}_${version}_all.deb" >/dev/null
    rm -rf "$tree"
}

# with FILE: standard input as a file of the next package; scripts are executable.
with() {
    mkdir -p "$(dirname "$scratch/tree/$1")"
    cat >"$scratch/tree/$1"
    [[ $(head -c 2 "$scratch/tree/$1") != '#!' ]] || chmod 755 "$scratch/tree/$1"
}

# repository FOLDER SUITE KEY: indexes the packages in FOLDER/pool, and signs.
repository() {
    local folder=$1 suite=$2 key=$3 file dist=$1/dists/$2
    mkdir -p "$dist/main/binary-amd64"
    for file in "$folder"/pool/*.deb; do
        dpkg-deb -f "$file"
        printf 'Filename: pool/%s\nSize: %s\nSHA256: %s\n\n' "${file##*/}" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
    done >"$dist/main/binary-amd64/Packages"
    gzip -9nk "$dist/main/binary-amd64/Packages"
    {
        printf 'Origin: rehearsal\nLabel: rehearsal\nSuite: %s\nCodename: %s\nArchitectures: amd64 all\nComponents: main\n' "$suite" "$suite"
        printf 'Date: %s\nSHA256:\n' "$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S UTC')"
        for file in Packages Packages.gz; do
            printf ' %s %s main/binary-amd64/%s\n' "$(sha256sum "$dist/main/binary-amd64/$file" | cut -d' ' -f1)" \
                "$(stat -c %s "$dist/main/binary-amd64/$file")" "$file"
        done
    } >"$dist/Release"
    "${gpg[@]}" --local-user "$key@example.com" --clearsign --output "$dist/InRelease" "$dist/Release"
}

# Ubuntu's archive
archive=$site/archive.ubuntu.com/ubuntu
mkdir -p "$archive/pool"
cp "$root"/var/lib/rehearsal/{unzip,ipset,libipset13,libmnl0}_*.deb "$archive/pool/"
mkdir -p "$scratch/tree/usr/bin"
ln -s python3 "$scratch/tree/usr/bin/python"
deb "$archive/pool" python 2.7.12-1~16.04 'Depends: python3-minimal'
"$here/tools.sh" 1.1 "$archive/pool"
repository "$archive" xenial archive

# Docker's
docker=$site/apt.dockerproject.org/repo
mkdir -p "$docker/pool"
mkdir -p "$scratch/tree/usr/bin"
for program in usr/sbin/dockerd usr/bin/docker usr/sbin/docker-proxy usr/bin/docker-init; do
    ln -s "/usr/lib/docker-engine/$program" "$scratch/tree/usr/bin/${program##*/}"
done
with lib/systemd/system/docker.service <"$here/docker/docker.service"
with etc/init.d/docker <"$here/docker/init"
printf '%s\n' '#!/bin/sh' 'update-rc.d docker defaults >/dev/null' | with DEBIAN/postinst
echo /etc/init.d/docker | with DEBIAN/conffiles
deb "$docker/pool" docker-engine 17.03.0~ce-0~ubuntu-xenial 'Depends: containerd, runc'
repository "$docker" ubuntu-xenial docker
"${gpg[@]}" --armor --export docker@example.com >"$site/apt.dockerproject.org/gpg"
mkdir -p "$site/keyserver"
cp "$here/docker-release-key.asc" "$site/keyserver/58118E89F3A912897C070ADBF76221572C52609D"

# Python's
mkdir -p "$site"/{bootstrap.pypa.io,pypi.org/simple/{pip,docker-py}}
cp "$here/get-pip.py" "$site/bootstrap.pypa.io/"
dpkg-deb --fsys-tarfile "$root"/var/lib/rehearsal/python3-pip-whl_*.deb | tar -xO --wildcards './usr/share/python-wheels/pip-*.whl' >"$scratch/pip.whl"
cp "$scratch/pip.whl" "$site/pypi.org/simple/pip/pip-23.0.1-py3-none-any.whl"
python3 "$here/wheel.py" docker_py 1.10.6 "$site/pypi.org/simple/docker-py/"
for project in pip docker-py; do
    for file in "$site/pypi.org/simple/$project"/*.whl; do
        echo "<a href=\"${file##*/}#sha256=$(sha256sum "$file" | cut -d' ' -f1)\">${file##*/}</a>"
    done >"$site/pypi.org/simple/$project/index.html"
done

# DC/OS
mkdir -p "$site/downloads.dcos.io"/{dcos/stable,binaries/cli/linux/x86-64/dcos-1.8}
cp "$here/dcos/cli" "$site/downloads.dcos.io/binaries/cli/linux/x86-64/dcos-1.8/dcos"
{
    cat "$here/dcos/generate.sh"
    tar -C "$here/dcos" --numeric-owner --owner=0 --group=0 -czf - install.sh node.py
} >"$site/downloads.dcos.io/dcos/stable/dcos_generate_config.sh"

# Docker's images
python3 "$here/image.py" "$root/bin/busybox" "$site/registry-1.docker.io"
chmod -R go=rX "$site"/*.*/ "$site/keyserver"
