#!/usr/bin/env bash
# A stand-in for DC/OS's dcos_install.sh: makes this host a node of the cluster.
#
#   dcos_install.sh master|slave|slave_public
set -euo pipefail
bootstrap_url=@bootstrap_url@
die() { echo "dcos_install.sh: $*" >&2; exit 1; }
role=${1:-}
case $role in
master | slave | slave_public) ;;
*) die "usage: dcos_install.sh master|slave|slave_public" ;;
esac
[[ $EUID == 0 ]] || die "must be run by root"
[[ ! -e /opt/mesosphere ]] || die "Found an existing DC/OS installation. To reinstall DC/OS on this machine you must first uninstall it."

# the checks of the real one that a node of a rehearsal can meet
missing=()
for command in curl bash ping tar xz unzip ipset; do
    command -v "$command" >/dev/null || missing+=("$command")
done
for file in /usr/bin/mkdir /usr/bin/ln /usr/bin/tar /usr/bin/rm /sbin/useradd; do
    [[ -x $file ]] || missing+=("$file")
done
getent group nogroup >/dev/null || missing+=("the group nogroup")
docker version >/dev/null 2>&1 || missing+=("Docker, running")
[[ ${#missing[@]} == 0 ]] || die "the preflight checks failed, missing: ${missing[*]}"

mkdir -p /opt/mesosphere /etc/mesosphere/roles /var/lib/dcos
curl -fsSL "$bootstrap_url/bootstrap.tar.gz" | tar -xz -C /opt/mesosphere
touch "/etc/mesosphere/roles/$role"
cat >/etc/init.d/dcos <<'I'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          dcos
# Required-Start:    docker
# Required-Stop:     docker
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: a node of DC/OS, a stand-in
### END INIT INFO
pid=/run/dcos.pid
case $1 in
start) start-stop-daemon --start --oknodo --background --make-pidfile --pidfile $pid --no-close --startas /usr/bin/python3 -- /opt/mesosphere/node.py >>/var/log/dcos.log 2>&1 ;;
stop) start-stop-daemon --stop --oknodo --pidfile $pid --retry 5 ;;
restart) "$0" stop && "$0" start ;;
status) start-stop-daemon --status --pidfile $pid ;;
*) echo "Usage: $0 {start|stop|restart|status}" >&2; exit 2 ;;
esac
I
chmod 755 /etc/init.d/dcos
update-rc.d dcos defaults >/dev/null
/etc/init.d/dcos start
echo "This host is a $role of the cluster now."
