#!/usr/bin/env bash
# root.sh ROOT KEYS: makes a root of test hosts, a copy of `python`, look like the Ubuntu 16.04 image of the cluster's instances.
#
# KEYS is a folder with what the hosts trust, made if it is not there: ca.crt, which signs the certificates of the
# stand-in for the internet, and gpg, a key ring with which the apt repositories are signed.
#
# It is a stand-in, and Debian underneath: Ubuntu's names and release files, its archive as the only source of packages, no
# `python` (only `python3`, which Ubuntu 16.04 had too), /bin and /sbin folders of their own. The programs of Docker lie
# where nothing looks for them; the package docker-engine of the rehearsal's repository brings them into place.
set -euo pipefail
root=${1:?a root} keys=${2:?a folder for keys}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export DEBIAN_FRONTEND=noninteractive

if [[ ! -e $keys/ca.crt ]]; then
    mkdir -p "$keys/gpg"
    chmod 700 "$keys" "$keys/gpg"
    gpg=(gpg --homedir "$keys/gpg" --batch --quiet --no-tty --yes)
    for who in archive docker; do
        "${gpg[@]}" --passphrase '' --quick-generate-key "rehearsal of rplay, $who <$who@example.com>" rsa3072 sign never 2>/dev/null
    done
    gpgconf --homedir "$keys/gpg" --kill all
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=rehearsal of rplay' -keyout "$keys/ca.key" -out "$keys/ca.crt" 2>/dev/null
fi

chroot "$root" apt-get update -qq
chroot "$root" apt-get install -y -qq --no-install-recommends \
    gnupg dirmngr lsb-release libpython3-stdlib python3-distutils containerd runc libdevmapper1.02.1 busybox-static

# what the archive offers of Debian's, as it is, and the parts of Docker
mkdir -p "$root/var/lib/rehearsal"
(cd "$root/var/lib/rehearsal" && chroot "$root" sh -c 'cd /var/lib/rehearsal && apt-get download -qq unzip ipset libipset13 libmnl0 docker.io tini python3-pip-whl')
chroot "$root" sh -c 'dpkg -x /var/lib/rehearsal/docker.io_*.deb /usr/lib/docker-engine; dpkg -x /var/lib/rehearsal/tini_*.deb /usr/lib/docker-engine'
rm -rf "$root"/var/lib/rehearsal/{docker.io,tini}_*.deb "$root/usr/lib/docker-engine"/{etc,lib,usr/share,usr/lib,usr/bin/dnet,usr/sbin/ovrouter,usr/bin/tini}
chroot "$root" dpkg -r unzip >/dev/null
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
# pip may install where Debian's would not let it
rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED
mkdir -p "$root/var/lib/docker"

# Ubuntu 16.04 had not merged /usr: the links that the installer of DC/OS needs are missing there
unmerge() {
    local folder=$1 keep=$2 file
    rm "${root:?}/$folder"
    mkdir "$root/$folder"
    for file in "$root/usr/$folder"/*; do
        file=${file##*/}
        [[ " $keep " == *" $file "* ]] || ln -s "../usr/$folder/$file" "$root/$folder/$file"
    done
}
unmerge sbin useradd
unmerge bin "mkdir ln tar rm"
for file in mkdir ln tar rm; do mv "$root/usr/bin/$file" "$root/bin/$file"; done

# who has logged in is asked for after restarts, too
sed -i 's,2>/var/log/sshd.log,2>>/var/log/sshd.log,' "$root/sbin/host-init"

rm -f "$root/etc/os-release" "$root/etc/resolv.conf"
cp -a "$here/image/." "$root/"
chmod 755 "$root/etc/host-start"
chown -R 0:0 "$root/etc/os-release" "$root/etc/lsb-release" "$root/etc/host-start" "$root/etc/resolv.conf" "$root/etc/docker" "$root/etc/apt"

# trust. Docker's packages are not signed by the key that the keyserver has: nobody else can sign with that one
install -m 644 "$keys/ca.crt" "$root/usr/local/share/ca-certificates/rehearsal.crt"
chroot "$root" update-ca-certificates >/dev/null
for who in archive docker; do
    gpg --homedir "$keys/gpg" --batch --quiet --export "$who@example.com" >"$root/etc/apt/trusted.gpg.d/rehearsal-$who.gpg"
done
chmod 644 "$root"/etc/apt/trusted.gpg.d/rehearsal-*.gpg
gpgconf --homedir "$keys/gpg" --kill all

# one package is old: there is something to upgrade
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$here/tools.sh" 1.0 "$scratch"
cp "$scratch"/rehearsal-tools_1.0_all.deb "$root/root/"
chroot "$root" dpkg -i /root/rehearsal-tools_1.0_all.deb >/dev/null
rm "$root/root/rehearsal-tools_1.0_all.deb"
