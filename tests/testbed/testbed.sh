#!/usr/bin/env bash
# Real hosts on one machine: each has a root, an address, processes and an sshd of its own, and can restart.
#
#   testbed.sh root                       build the base roots once (Debian bookworm), in $TESTBED_CACHE
#   testbed.sh up WORLD [--jump NAME] NAME=IP[@ROOT]...   start hosts; with --jump only that one can be reached from outside
#   testbed.sh run WORLD COMMAND...       run the controller's side: it sees the world's network
#   testbed.sh inside WORLD COMMAND...    the same behind the jumphost, at 10.0.255.253: what nodes see of the internet
#   testbed.sh names WORLD FILE           add the lines of FILE to what is /etc/hosts on the controller's side
#   testbed.sh public WORLD NAME IP       give the jumphost another public address
#   testbed.sh vpn WORLD NAME SUBNET...   route the controller's traffic for subnets through the jumphost
#   testbed.sh ssh WORLD NAME [COMMAND...]  log in as ubuntu
#   testbed.sh enter WORLD NAME COMMAND...  run something inside a host, past its sshd
#   testbed.sh kill WORLD NAME            stop a host at once, as if its power failed
#   testbed.sh start WORLD NAME           start it again
#   testbed.sh link WORLD NAME up|down    plug its network cable in or out
#   testbed.sh rate WORLD NAME KBIT|off   make its network slow, or as fast as it was
#   testbed.sh install WORLD NAME PACKAGE...  install packages of Debian in a host, which cannot fetch them itself
#   testbed.sh state WORLD NAME           print the folder that holds what differs from the base root
#   testbed.sh down WORLD                 stop and remove everything of a world, also what a crash left
#
# A world is a network of its own (10.0.0.0/16, the controller at 10.0.255.254): two may have the same addresses.
# ROOT is `python`, `bare`, which has no Python, `full`, which has pip, dnf and svn too, or one of the first two with Docker, `docker` (no Python) and `dockerpython`, whose hosts run dockerd; hosts whose name begins with `bare` have that one unless told. Users: root, ubuntu and centos (sudo without a
# password), alice (sudo with the password s3cret), bob (no sudo, password s3cret). Keys: $TESTBED_CACHE/keys.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${TESTBED_CACHE:-$here/../../.cache/testbed}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
# hosts share the kernel: none may set its clock, load modules or change its settings
drop=-sys_time,-sys_module,-sys_rawio,-syslog,-mac_admin,-mac_override,-wake_alarm,-sys_boot

die() { echo "testbed: $*" >&2; exit 1; }
[[ $EUID == 0 ]] || die "must be run by root: it makes network namespaces and mounts"

verb=${1:?what to do: root, up, run, ssh, enter, kill, start, link, rate, install, state, down}
shift

need() {
    local missing=() tool
    for tool in debootstrap:debootstrap ip:iproute2 setpriv:util-linux ssh-keygen:openssh-client setsid:util-linux; do
        command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
    done
    [[ ${#missing[@]} == 0 ]] || {
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    }
}

make_keys() {
    mkdir -p "$cache/keys"
    chmod 700 "$cache/keys"
    local kind
    for kind in ed25519 ecdsa rsa; do
        [[ -f $cache/keys/id_$kind ]] || ssh-keygen -q -t "$kind" -N '' -C "testbed $kind" -f "$cache/keys/id_$kind"
    done
    [[ -f $cache/keys/id_locked ]] || ssh-keygen -q -t ed25519 -N 's3cret' -C 'testbed locked' -f "$cache/keys/id_locked"
}

# What all roots have: users, their keys, and an init that starts sshd.
furnish() {
    local r=$1 user home
    for user in ubuntu centos; do
        chroot "$r" id "$user" >/dev/null 2>&1 || chroot "$r" useradd -m -s /bin/bash -p '*' "$user"
        echo "$user ALL=(ALL) NOPASSWD:ALL" >"$r/etc/sudoers.d/$user"
    done
    for user in alice bob; do
        chroot "$r" id "$user" >/dev/null 2>&1 || chroot "$r" useradd -m -s /bin/bash "$user"
        echo "$user:s3cret" | chroot "$r" chpasswd
    done
    echo 'root:s3cret' | chroot "$r" chpasswd
    echo 'alice ALL=(ALL) ALL' >"$r/etc/sudoers.d/alice"
    chmod 440 "$r"/etc/sudoers.d/*
    for user in root ubuntu centos alice bob; do
        home=$r/home/$user
        [[ $user != root ]] || home=$r/root
        mkdir -p "$home/.ssh"
        cat "$cache"/keys/*.pub >"$home/.ssh/authorized_keys"
        chmod 700 "$home/.ssh"
        chroot "$r" chown -R "$user:$user" "${home#"$r"}"
    done
    # the supervisor starts a host again whose init has ended
    cat >"$r/usr/sbin/shutdown" <<'I'
#!/bin/sh
# Restarts this host: everything in it ends, and its supervisor starts it again.
(sleep 0.5; kill -9 -1) >/dev/null 2>&1 &
I
    chmod 755 "$r/usr/sbin/shutdown"
    ln -sf shutdown "$r/usr/sbin/reboot"
    cat >"$r/sbin/host-init" <<'I'
#!/bin/sh
mount -t proc proc /proc
# a host that has restarted is known by its boot id and its uptime
cat /proc/sys/kernel/random/uuid >/boot/.id
mount --bind /boot/.id /proc/sys/kernel/random/boot_id 2>/dev/null
mount --bind /proc/sys /proc/sys
mount --bind /boot/.id /proc/sys/kernel/random/boot_id
mount -o remount,ro,bind /proc/sys
mount -t sysfs -o ro sysfs /sys 2>/dev/null
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm 2>/dev/null
mkdir -p /run/sshd /run/lock /dev/pts
mount -t devpts devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 /dev/pts 2>/dev/null
[ -e /dev/pts/ptmx ] && mount --bind /dev/pts/ptmx /dev/ptmx
hostname "$1"
date -u >/run/booted
[ -x /etc/host-start ] && /etc/host-start
trap : CHLD
/usr/sbin/sshd -D -e -o UsePAM=no -o PasswordAuthentication=yes -o MaxStartups=200:30:400 -o MaxSessions=100 2>/var/log/sshd.log &
# orphans that end are its children too: each of them interrupts the wait
while kill -0 $! 2>/dev/null; do wait $!; done
I
    chmod 755 "$r/sbin/host-init"
}

furnish_docker() { "$here/docker.sh" "$1"; }

furnish_full() {
    DEBIAN_FRONTEND=noninteractive chroot "$1" apt-get install -y -qq --no-install-recommends \
        python3-pip python3-venv python3-setuptools virtualenv dnf rpm subversion &&
        rm -rf "$1"/var/cache/apt/archives/*.deb
}

build_root() {
    # worlds may be started side by side
    exec 8>"$cache/lock"
    flock 8
    need
    make_keys
    local packages=openssh-server,sudo,iproute2,iputils-ping,ca-certificates,procps,curl,gpg,gpg-agent,dirmngr,cron,unzip,bzip2,xz-utils,zstd,acl,netcat-openbsd
    if [[ ! -e $cache/bare/.made ]]; then
        rm -rf "$cache/bare"
        debootstrap --variant=minbase --include="$packages" bookworm "$cache/bare" >"$cache/root.log" 2>&1 || {
            tail -n 20 "$cache/root.log" >&2
            die "debootstrap failed"
        }
        furnish "$cache/bare"
        rm -rf "$cache"/bare/var/cache/apt/archives/*.deb
        touch "$cache/bare/.made"
    fi
    if [[ ! -e $cache/python/.made ]]; then
        rm -rf "$cache/python"
        cp -a "$cache/bare" "$cache/python"
        rm -f "$cache/python/.made"
        DEBIAN_FRONTEND=noninteractive chroot "$cache/python" apt-get install -y -qq --no-install-recommends \
            python3-minimal python3-apt python3-debian >>"$cache/root.log" 2>&1 || {
            tail -n 20 "$cache/root.log" >&2
            die "Python could not be installed"
        }
        rm -rf "$cache"/python/var/cache/apt/archives/*.deb
        touch "$cache/python/.made"
    fi
    # those for few tests only where they are asked for
    local root base
    for root in "$@"; do
        case $root in
        docker) base=bare ;;
        dockerpython | full) base=python ;;
        *) continue ;;
        esac
        [[ ! -e $cache/$root/.made ]] || continue
        rm -rf "${cache:?}/$root"
        cp -a "$cache/$base" "$cache/$root"
        rm -f "$cache/$root/.made"
        "furnish_${root%python}" "$cache/$root" >>"$cache/root.log" 2>&1 || {
            tail -n 20 "$cache/root.log" >&2
            die "the root $root could not be built"
        }
        touch "$cache/$root/.made"
    done
    exec 8>&-
}

# The groups of processes (cgroups) of a host are below the one that it is started from, in every hierarchy.
host_groups() {
    local line path mount
    while IFS=: read -r _ line path; do
        line=${line#name=}
        mount=/sys/fs/cgroup/$line
        [[ -n $line || -e $mount/cgroup.procs ]] || mount=/sys/fs/cgroup/unified
        [[ ! -e $mount/cgroup.procs ]] || echo "$mount${path%/}/rp-$w-$1"
    done </proc/self/cgroup
}

# enter_groups HOST: makes them and puts this shell into them.
enter_groups() {
    local group file
    for group in $(host_groups "$1"); do
        mkdir -p "$group"
        echo "$group" >>"$dir/hosts/$1/groups"
        for file in cpuset.cpus cpuset.mems; do
            [[ ! -e $group/$file ]] || cat "$group/../$file" >"$group/$file" 2>/dev/null || true
        done
        echo "$BASHPID" >"$group/cgroup.procs"
    done
}

world() {
    w=$1
    [[ $w =~ ^[a-z0-9]{1,24}$ ]] || die "a world's name is up to 24 small letters and digits, not '$w'"
    dir=$cache/worlds/$w
    ctl=rp-$w
}
ns() { ip netns exec "$@"; }

bridge() {
    local space=$1 name=$2 address=$3
    ns "$space" ip link add "$name" type bridge
    ns "$space" ip addr add "$address" dev "$name"
    ns "$space" ip link set "$name" up
}

# port LETTER HOST: the other end of a host's interface; names of interfaces are short.
port() { printf '%s%s' "$1" "$(printf '%s' "$w$2" | cksum | cut -d' ' -f1)"; }

# inner HOST: the network namespace of the bridge that the host is plugged into.
inner() {
    if [[ -e $dir/hosts/$1/inside ]]; then echo "$ctl-in"; else echo "$ctl"; fi
}

# plug HOST IP SPACE BRIDGE: gives the host an interface on a bridge.
plug() {
    local name=$1 ip=$2 space=$3 bridge=$4 port
    port=$(port v "$name")
    ip link add "$port" netns "$space" type veth peer name eth0 netns "rp-$w-$name"
    ns "$space" ip link set "$port" master "$bridge" up
    ns "rp-$w-$name" ip addr add "$ip/16" dev eth0
    ns "rp-$w-$name" ip link set eth0 up
}

# The supervisor of a host: starts its init as long as the host is wanted.
start_host() {
    local name=$1 h=$dir/hosts/$1 groups=
    touch "$h/wanted"
    (
        # The host's root is that of its namespace, with no other above it: a chroot would be left by what enters the namespace,
        # as `docker exec` does. One that makes containers divides groups of its own, and sees no others.
        if [[ -e $h/merged/usr/sbin/dockerd || -d $h/merged/var/lib/docker ]]; then
            enter_groups "$name"
            groups=--cgroup
        fi
        exec setsid bash -c "while [[ -e '$h/wanted' ]]; do
        ip netns exec 'rp-$w-$name' unshare --mount --pid --uts --ipc $groups --fork --kill-child \
            setpriv --bounding-set=$drop sh -c 'cd \"\$0\" && mount -t proc proc proc && pivot_root . mnt && umount -l /mnt && umount /proc && exec /sbin/host-init \"\$1\"' '$h/merged' '$name'
        sleep 0.5
    done"
    ) </dev/null >"$h/log" 2>&1 &
    echo $! >"$h/pid"
}

stop_host() {
    local name=$1 h=$dir/hosts/$1 p
    rm -f "$h/wanted"
    p=$(cat "$h/pid" 2>/dev/null || true)
    [[ -z $p ]] || kill -9 -- "-$p" 2>/dev/null || true
    for p in $(ip netns pids "rp-$w-$name" 2>/dev/null || true); do kill -9 "$p" 2>/dev/null || true; done
}

# leave_groups HOST: removes its groups of processes, which have ended.
leave_groups() {
    local group try
    for group in $(sort -u "$dir/hosts/$1/groups" 2>/dev/null); do
        for try in 1 2 3 4 5 6 7 8 9; do
            [[ -d $group ]] || break
            find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
        done
    done
}

# remove_host HOST: ends everything of it and deletes what it has written.
remove_host() {
    local name=$1 h=$dir/hosts/$1 try
    stop_host "$name"
    leave_groups "$name"
    ip netns del "rp-$w-$name" 2>/dev/null || true
    for try in 1 2 3 4 5 6 7 8 9; do
        umount "$h/merged/dev" 2>/dev/null || true
        umount "$h/merged/var/lib/docker" 2>/dev/null || true
        umount "$h/merged" 2>/dev/null || true
        mountpoint -q "$h/merged" || break
        sleep 0.1
    done
    # something in it does not end: out of the way all the same, lest it be deleted through the mount
    umount -l "$h/merged/dev" "$h/merged/var/lib/docker" "$h/merged" 2>/dev/null || true
    ! mountpoint -q "$h/merged" || die "$h/merged cannot be unmounted"
    rm -rf "$h"
}

ready() {
    local ip=$1 try
    for try in $(seq 100); do
        ns "$2" bash -c "exec 3<>/dev/tcp/$ip/22" 2>/dev/null && return
        sleep 0.1
    done
    die "the host at $ip did not start"
}

case $verb in
root) build_root ;;
up)
    world "${1:?a world}"
    shift
    build_root "${@#*@}"
    jump=
    if [[ ${1:-} == --jump ]]; then jump=$2; shift 2; fi
    mkdir -p "$dir/hosts"
    if ! ip netns list | grep -q "^$ctl\b"; then
        ip netns add "$ctl"
        ns "$ctl" ip link set lo up
        bridge "$ctl" br0 10.0.255.254/16
    fi
    if [[ -n $jump ]] && ! ip netns list | grep -q "^$ctl-in\b"; then
        # the nodes' network: no way leads there from the controller but through the jumphost
        ip netns add "$ctl-in"
        ns "$ctl-in" ip link set lo up
        bridge "$ctl-in" br0 10.0.255.253/16
    fi
    for host in "$@"; do
        [[ $host =~ ^([a-z0-9-]+)=([0-9.]+)(@([a-z]+))?$ ]] || die "a host is NAME=IP or NAME=IP@ROOT, not '$host'"
        name=${BASH_REMATCH[1]} ip=${BASH_REMATCH[2]} base=${BASH_REMATCH[4]} h=$dir/hosts/${host%%=*}
        [[ -n $base || $name != bare* ]] || base=bare
        base=$cache/${base:-python}
        [[ -d $base ]] || die "there is no root $base"
        [[ ! -e $h/ip ]] || die "$name is up already"
        mkdir -p "$h"/{upper,work,merged}
        echo "$ip" >"$h/ip"
        [[ -z $jump ]] || touch "$h/inside"
        ip netns add "rp-$w-$name"
        ns "rp-$w-$name" ip link set lo up
        if [[ -z $jump ]]; then
            plug "$name" "$ip" "$ctl" br0
            ns "rp-$w-$name" ip route add default via 10.0.255.254
        else
            plug "$name" "$ip" "$ctl-in" br0
            ns "rp-$w-$name" ip route add default via 10.0.255.253
            if [[ $name == "$jump" ]]; then
                # its second interface: the public side
                public=$(port p "$name")
                ip link add "$public" netns "$ctl" type veth peer name eth1 netns "rp-$w-$name"
                ns "$ctl" ip link set "$public" up
                ns "$ctl" ip addr add 192.0.2.1/24 dev "$public"
                ns "rp-$w-$name" ip addr add 192.0.2.10/24 dev eth1
                ns "rp-$w-$name" ip link set eth1 up
            fi
        fi
        mount -t overlay overlay -o "lowerdir=$base,upperdir=$h/upper,workdir=$h/work" "$h/merged"
        # Docker's own overlays cannot lie on an overlay
        if [[ -d $base/var/lib/docker ]]; then
            mkdir -p "$h/docker"
            mount --bind "$h/docker" "$h/merged/var/lib/docker"
        fi
        mount -t tmpfs -o mode=755,size=1m tmpfs "$h/merged/dev"
        for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
            IFS=: read -r file major minor <<<"$node"
            mknod -m 666 "$h/merged/dev/$file" c "$major" "$minor"
        done
        ln -s /proc/self/fd "$h/merged/dev/fd"
        for n in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${n%%:*}" "$h/merged/dev/${n##*:}"; done
        touch "$h/merged/dev/ptmx"
        mkdir -p "$h/merged/dev/shm" "$h/merged/dev/pts"
        grep -q "$name" "$h/merged/etc/hosts" 2>/dev/null || printf '127.0.0.1 localhost\n%s %s\n' "$ip" "$name" >"$h/merged/etc/hosts"
        echo "$name" >"$h/merged/etc/hostname"
        start_host "$name"
    done
    for host in "$@"; do
        name=${host%%=*}
        ready "$(cat "$dir/hosts/$name/ip")" "$(inner "$name")"
    done
    ;;
run) world "$1"; shift; exec ip netns exec "$ctl" "$@" ;;
inside) world "$1"; shift; exec ip netns exec "$ctl-in" "$@" ;;
names)
    world "$1"
    # programs that `ip netns exec` starts see this file in place of /etc/hosts
    mkdir -p "/etc/netns/$ctl"
    [[ -e /etc/netns/$ctl/hosts ]] || cp /etc/hosts "/etc/netns/$ctl/hosts"
    cat "$2" >>"/etc/netns/$ctl/hosts"
    ;;
public)
    world "$1"
    ns "rp-$w-$2" ip addr add "$3/32" dev eth1
    ns "$ctl" ip route add "$3/32" via 192.0.2.10
    ;;
vpn)
    world "$1"
    jump=$2
    shift 2
    ns "rp-$w-$jump" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    for subnet in "$@"; do ns "$ctl" ip route add "$subnet" via 192.0.2.10; done
    for h in "$dir"/hosts/*; do
        [[ ${h##*/} == "$jump" ]] || ns "rp-$w-${h##*/}" ip route add 192.0.2.0/24 via "$(cat "$dir/hosts/$jump/ip")"
    done
    ;;
enter)
    world "$1"
    name=$2
    shift 2
    pid=$(ip netns pids "rp-$w-$name" | while read -r p; do [[ $(cat "/proc/$p/comm") != sshd ]] || { echo "$p"; break; }; done)
    [[ -n $pid ]] || die "$name does not run"
    exec nsenter --target "$pid" --mount --pid --uts --ipc --net --root --wd "$@"
    ;;
kill) world "$1"; stop_host "$2" ;;
start) world "$1"; start_host "$2"; ready "$(cat "$dir/hosts/$2/ip")" "$(inner "$2")" ;;
ssh)
    world "$1"
    name=$2
    shift 2
    exec ip netns exec "$(inner "$name")" ssh -i "$cache/keys/id_ed25519" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "ubuntu@$(cat "$dir/hosts/$name/ip")" "$@"
    ;;
link) world "$1"; ns "$(inner "$2")" ip link set "$(port v "$2")" "$3" ;;
rate)
    world "$1"
    ns "$(inner "$2")" tc qdisc del dev "$(port v "$2")" root 2>/dev/null || true
    [[ $3 == off ]] || ns "$(inner "$2")" tc qdisc add dev "$(port v "$2")" root tbf rate "$3kbit" burst 8kb latency 2s
    ;;
install)
    world "$1"
    name=$2
    shift 2
    mkdir -p "$cache/debs"
    for package in "$@"; do
        (
            flock 7
            cd "$cache/debs"
            # there may be no lists of packages yet
            compgen -G "${package}_*.deb" >/dev/null || apt-get download -qq "$package" 2>/dev/null ||
                { apt-get update -qq && apt-get download -qq "$package"; }
        ) 7>"$cache/debs/lock"
        cp "$cache/debs/${package}"_*.deb "$dir/hosts/$name/merged/root/$package.deb"
        "$here/testbed.sh" enter "$w" "$name" dpkg -i "/root/$package.deb" >/dev/null
    done
    ;;
state) world "$1"; echo "$dir/hosts/$2/upper" ;;
down)
    world "$1"
    jobs=()
    # by what there is, and by what there was when something crashed
    for name in $( { ls "$dir/hosts" 2>/dev/null; ip netns list | sed -n "s/^rp-$w-\([^ ]*\).*/\1/p"; } | grep -vx in | sort -u); do
        remove_host "$name" &
        jobs+=($!)
    done
    # one that could not be removed must not be deleted through its mount
    for p in "${jobs[@]}"; do wait "$p"; done
    for space in "$ctl" "$ctl-in"; do
        for p in $(ip netns pids "$space" 2>/dev/null || true); do kill "$p" 2>/dev/null || true; done
        ip netns del "$space" 2>/dev/null || true
        rm -rf "/etc/netns/$space"
    done
    rm -rf "$dir"
    ;;
*) die "no such verb: $verb" ;;
esac
