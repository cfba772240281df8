#!/usr/bin/env bash
# docker.sh ROOT: installs Debian's Docker into a root of test hosts, and has its hosts run dockerd.
#
# Images cannot be had from the internet in a test. /opt/images/busybox.tar is the file system of a small one, made of
# Debian's busybox-static; `docker import /opt/images/busybox.tar NAME` makes it an image. A stand-in for nginx:
#
#   docker import --change 'CMD ["httpd","-f","-p","80","-h","/usr/share/nginx/html"]' --change 'EXPOSE 80' \
#       /opt/images/busybox.tar nginx
#
# A registry is there too, for the controller's side, where the hosts look for images first:
#
#   testbed.sh run WORLD chroot .cache/testbed/docker docker-registry serve /opt/images/registry.yml
#
# It keeps images in memory; what a host pushes to 10.0.255.254:5000/library/NAME, all hosts can pull as NAME.
set -euo pipefail
root=${1:?a root}

export DEBIAN_FRONTEND=noninteractive
chroot "$root" apt-get update -qq
packages=(docker.io docker-registry busybox-static)
[[ ! -e $root/usr/bin/python3 ]] || packages+=(python3-requests)
chroot "$root" apt-get install -y -qq --no-install-recommends "${packages[@]}"
rm -rf "$root"/var/cache/apt/archives/*.deb

# the file system of an image: all of busybox's commands, and the folders and files that programs look for
image=$(mktemp -d)
trap 'rm -rf "$image"' EXIT
mkdir -p "$image"/{bin,dev,etc,proc,root,sys,usr/bin,var/www}
mkdir -m 1777 "$image/tmp"
cp "$root/bin/busybox" "$image/bin/busybox"
for command in $("$root/bin/busybox" --list); do
    [[ $command == busybox ]] || ln -s busybox "$image/bin/$command"
done
echo 'root:x:0:0:root:/root:/bin/sh' >"$image/etc/passwd"
echo 'root:x:0:' >"$image/etc/group"
mkdir -p "$root/opt/images"
tar -C "$image" --numeric-owner --owner=0 --group=0 --sort=name --mtime=@0 -cf "$root/opt/images/busybox.tar" .
cat >"$root/opt/images/registry.yml" <<'Y'
version: 0.1
log: {level: warn}
storage: {inmemory: {}, delete: {enabled: true}}
http: {addr: "10.0.255.254:5000"}
Y

cat >"$root/etc/host-start" <<'I'
#!/bin/sh
# Starts dockerd. Nothing of the machine's kernel is changed for it: published ports go through docker-proxy alone.
mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
if grep -q '^[1-9]' /proc/self/cgroup; then
    # version 1: a hierarchy for each controller
    while IFS=: read -r number name path; do
        [ -n "$name" ] || continue
        group=/sys/fs/cgroup/${name#name=}
        mkdir -p "$group"
        mount -t cgroup -o "$name" cgroup "$group"
    done </proc/self/cgroup
else
    # version 2: a group that has groups below it may hold no processes
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir -p /sys/fs/cgroup/init
    while read -r process; do
        echo "$process" >/sys/fs/cgroup/init/cgroup.procs
    done </sys/fs/cgroup/cgroup.procs 2>/dev/null
    for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
        echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
    done
fi
# Docker Hub is not there: dockerd is told so at once, where it would wait for a name server
grep -q docker.io /etc/hosts || echo '127.0.0.1 docker.io index.docker.io registry-1.docker.io' >>/etc/hosts
rm -f /var/run/docker.pid
dockerd --storage-driver=vfs --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
    --insecure-registry=10.0.255.254:5000 --registry-mirror=http://10.0.255.254:5000 \
    >/var/log/dockerd.log 2>&1 &
for _ in $(seq 150); do
    docker version >/dev/null 2>&1 && break
    sleep 0.2
done
I
chmod 755 "$root/etc/host-start"
