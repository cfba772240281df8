#!/usr/bin/env bash
# Makes an apt repository of small test packages in FOLDER, once: signed with a key made for it, to be served over HTTP.
#
#   aptrepo.sh FOLDER
#
# FOLDER/dists/test, FOLDER/pool    deb http://.../ test main
# FOLDER/flat                       deb http://.../flat ./      the same packages, with no distribution
# FOLDER/key.asc, FOLDER/key.gpg    the key; FOLDER/other.asc is one that signs nothing; FOLDER/fingerprint
# FOLDER/pks/0xFINGERPRINT          the key, as a key server has it (see tests/hosts/server.py)
#
# The packages, and what each is for:
#   rp-hello 1.0 1.1 2.0    versions; /etc/rp-hello.conf is a configuration file of it
#   rp-lib, rp-dep          rp-dep depends on rp-lib and recommends rp-extra
#   rp-one, rp-two          alone; rp-clash conflicts with rp-one
#   rp-fail                 cannot be configured
#   rp-needs                depends on what is not there
#   rp-mta-a, rp-mta-b      both provide rp-mta; rp-only alone provides rp-virtual
#   rp-daemon               an init script, which logs to /var/lib/rp-daemon
set -euo pipefail
repo=${1:?the folder to make it in}

for tool in dpkg-deb:dpkg gpg:gpg gzip:gzip; do
    command -v "${tool%%:*}" >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${tool##*:}" >/dev/null
done

made=$(sha256sum "${BASH_SOURCE[0]}" | cut -d' ' -f1)
mkdir -p "$repo"
# several tests may want it at once
exec 8>"$repo/.lock"
flock 8
[[ $(cat "$repo/.made" 2>/dev/null) != "$made" ]] || exit 0
rm -rf "${repo:?}"/{dists,pool,flat,keys,pks,*.asc,*.gpg}
pool=$repo/pool
mkdir -p "$pool" "$repo/flat" "$repo/dists/test/main/binary-amd64"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"; gpgconf --homedir "$repo/keys" --kill all 2>/dev/null || true' EXIT

# deb NAME VERSION [FIELD...]: builds a package; what lies in $scratch/files and $scratch/control goes into it.
deb() {
    local name=$1 version=$2 tree=$scratch/tree file=$pool/$1_$2_all.deb
    shift 2
    rm -rf "$tree"
    mkdir -p "$tree/DEBIAN" "$tree/usr/share/$name"
    echo "$name $version" >"$tree/usr/share/$name/version"
    [[ ! -d $scratch/files ]] || cp -a "$scratch/files/." "$tree/"
    [[ ! -d $scratch/control ]] || cp -a "$scratch/control/." "$tree/DEBIAN/"
    rm -rf "$scratch/files" "$scratch/control"
    {
        printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Tests <tests@example.com>\n' "$name" "$version"
        printf '%s\n' "$@" | sed '/^$/d'
        printf 'Description: a package for tests, %s\n' "$name"
    } >"$tree/DEBIAN/control"
    chmod -R u=rwX,go=rX "$tree"
    # the same bytes whenever it is built
    find "$tree" -exec touch -h -d 2024-01-01T00:00:00Z {} +
    SOURCE_DATE_EPOCH=1704067200 dpkg-deb --root-owner-group -Zgzip -b "$tree" "$file" >/dev/null
    {
        cat "$tree/DEBIAN/control"
        printf 'Filename: pool/%s\nSize: %s\nSHA256: %s\n\n' "${file##*/}" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
    } >>"$repo/dists/test/main/binary-amd64/Packages"
}

# with FILE TEXT: a file of the next package; a script is executable.
with() {
    mkdir -p "$(dirname "$scratch/$1")"
    printf '%s\n' "$2" >"$scratch/$1"
    [[ $2 != '#!'* ]] || chmod 755 "$scratch/$1"
}

for version in 1.0 1.1 2.0; do
    with files/etc/rp-hello.conf "setting=$version"
    with control/conffiles /etc/rp-hello.conf
    deb rp-hello "$version"
done
deb rp-lib 1.0
deb rp-dep 1.0 'Depends: rp-lib' 'Recommends: rp-extra'
deb rp-extra 1.0
deb rp-one 1.0
deb rp-two 1.0
deb rp-clash 1.0 'Conflicts: rp-one'
deb rp-mta-a 1.0 'Provides: rp-mta'
deb rp-mta-b 1.0 'Provides: rp-mta'
deb rp-only 1.0 'Provides: rp-virtual'
with control/postinst $'#!/bin/sh\necho broken on purpose >&2\nexit 1'
deb rp-fail 1.0
deb rp-needs 1.0 'Depends: rp-missing'
with files/etc/init.d/rp-daemon "$(cat <<'I'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          rp-daemon
# Required-Start:    $remote_fs
# Required-Stop:     $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: sleeps, and notes what it was told
### END INIT INFO
state=/var/lib/rp-daemon pid=/run/rp-daemon.pid
mkdir -p "$state"
alive() { [ -s "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; }
start() { alive || { sleep 100000 </dev/null >/dev/null 2>&1 & echo $! >"$pid"; }; }
stop() { ! alive || kill "$(cat "$pid")"; rm -f "$pid"; }
case $1 in
start) start ;;
stop) stop ;;
restart | force-reload) stop; start ;;
reload) ;;
status)
    if alive; then echo "rp-daemon is running."; exit 0; fi
    echo "rp-daemon is not running."
    exit 3
    ;;
*) echo "Usage: $0 {start|stop|restart|reload|status}" >&2; exit 2 ;;
esac
echo "$1" >>"$state/log"
I
)"
with control/conffiles /etc/init.d/rp-daemon
deb rp-daemon 1.0

# release FOLDER FILE...: the Release of a distribution, signed.
release() {
    local folder=$1 file
    shift
    {
        printf 'Origin: rplay-tests\nLabel: rplay-tests\nSuite: test\nCodename: test\nArchitectures: all amd64\nComponents: main\n'
        printf 'Date: Mon, 01 Jan 2024 00:00:00 UTC\nSHA256:\n'
        for file; do
            printf ' %s %s %s\n' "$(sha256sum "$folder/$file" | cut -d' ' -f1)" "$(stat -c %s "$folder/$file")" "$file"
        done
    } >"$folder/Release"
    "${gpg[@]}" --local-user tests@example.com --clearsign --output "$folder/InRelease" "$folder/Release"
    "${gpg[@]}" --local-user tests@example.com --armor --detach-sign --output "$folder/Release.gpg" "$folder/Release"
}

mkdir -p -m 700 "$repo/keys"
gpg=(gpg --homedir "$repo/keys" --batch --quiet --no-tty --yes)
for user in tests other; do
    "${gpg[@]}" --passphrase '' --quick-generate-key "rplay $user <$user@example.com>" rsa3072 sign never 2>/dev/null
    "${gpg[@]}" --armor --export "$user@example.com" >"$repo/$user.asc"
done
mv "$repo/tests.asc" "$repo/key.asc"
"${gpg[@]}" --export tests@example.com >"$repo/key.gpg"
"${gpg[@]}" --with-colons --fingerprint tests@example.com | sed -n 's/^fpr:*\([0-9A-F]*\):$/\1/p' | head -n 1 >"$repo/fingerprint"
mkdir -p "$repo/pks"
cp "$repo/key.asc" "$repo/pks/0x$(cat "$repo/fingerprint")"

gzip -9 -n -k "$repo/dists/test/main/binary-amd64/Packages"
release "$repo/dists/test" main/binary-amd64/Packages main/binary-amd64/Packages.gz
cp "$pool"/*.deb "$repo/flat/"
sed 's,^Filename: pool/,Filename: ./,' "$repo/dists/test/main/binary-amd64/Packages" >"$repo/flat/Packages"
gzip -9 -n -k "$repo/flat/Packages"
release "$repo/flat" Packages Packages.gz
chmod -R go=rX "$repo/dists" "$repo/pool" "$repo/flat"
echo "$made" >"$repo/.made"
