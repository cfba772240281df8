"""Throw-away Debian 12 hosts that the suites run in: an overlay over one base root, with namespaces of their own.

A host's mounts live in its own mount namespace and every process ends with its pid namespace, so that nothing is left behind.
It shares this machine's kernel: clock, modules and kernel settings are out of its reach, and `Guard` notices if they were not.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("CONFORMANCE_CACHE", HERE.parent.parent / ".cache/conformance"))
ROOT = CACHE / "root"
VERSION = "2.19.14"
SOURCES = CACHE / f"ansible-core-{VERSION}"

# what the suites call, and what ansible-test's own containers have
PACKAGES = """openssh-server python3 python3-venv python3-pip python3-apt python3-debian python3-pexpect python3-jmespath
python3-passlib python3-toml sudo iproute2 iputils-ping ca-certificates procps psmisc curl wget gpg gpg-agent dirmngr cron at
unzip zip git subversion bzip2 xz-utils zstd acl attr file rsync sshpass locales lsb-release systemd systemd-sysv dbus
iptables less make util-linux libcap2-bin debconf-utils apt-utils netcat-openbsd diffutils dpkg-dev expect tzdata whois jq
gettext-base faketime libuser socat aptitude kmod ethtool""".split()

# Python is there for the suites' own helpers, not for rplay; real Ansible for its other commands, and as the oracle
FURNISH = r"""
set -e
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
apt-get -qq update
apt-get -qq -y install --no-install-recommends %(packages)s >/dev/null
sed -i 's/^# *\(en_US.UTF-8\|de_DE.UTF-8\|fr_FR.UTF-8\)/\1/' /etc/locale.gen
locale-gen >/dev/null
rm -f /usr/sbin/policy-rc.d /usr/lib/python3*/EXTERNALLY-MANAGED
python3 -m venv --system-site-packages /opt/ansible
/opt/ansible/bin/pip install -q ansible-core==%(version)s passlib==1.7.4 bcrypt==4.0.1 pexpect==4.9.0 jmespath netaddr toml virtualenv
ln -sf python3 /opt/ansible/bin/python
python3 -m venv /opt/httpbin
/opt/httpbin/bin/pip install -q httpbin==0.10.2 'werkzeug<3.1' 'flask<3.1' setuptools
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
echo 'PermitRootLogin yes' >/etc/ssh/sshd_config.d/conformance.conf
apt-get clean
touch /.made
"""


def call(*argv, **options):
    subprocess.run(argv, check=True, **options)


def pip_settings():
    return {k: v for k, v in os.environ.items() if k.startswith("PIP_") and k != "PIP_FIND_LINKS"}


def network_settings(root):
    """Gives a root this machine's resolver, certificates, and settings of apt and pip."""
    for name in ("etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt"):
        if os.path.exists("/" + name):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy("/" + name, root / name)
    for folder in ("etc/apt/apt.conf.d", "etc/apt/sources.list.d", "usr/local/share/ca-certificates"):
        for file in pathlib.Path("/", folder).glob("*"):
            foreign = ("docker", "disabled", "packagekit", "appstream", "postgresql")
            if file.is_file() and not any(word in file.name for word in foreign):
                (root / folder).mkdir(parents=True, exist_ok=True)
                shutil.copy(file, root / folder / file.name)
    if (root / "etc/apt/sources.list.d/debian.sources").exists():
        (root / "etc/apt/sources.list").write_text("")


def build():
    """Makes the base root and fetches the suites, unless they are there."""
    if not (ROOT / ".made").exists():
        print("Making the root of the hosts (some minutes, once)", flush=True)
        shutil.rmtree(ROOT, ignore_errors=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        with open(CACHE / "root.log", "wb") as log:
            quiet = {"stdout": log, "stderr": subprocess.STDOUT}
            call("debootstrap", "--variant=minbase", "--include=openssh-server,python3,ca-certificates", "bookworm", ROOT, **quiet)
            network_settings(ROOT)
            script = FURNISH % {"packages": " ".join(PACKAGES), "version": VERSION}
            env = dict(pip_settings(), PATH="/usr/sbin:/usr/bin:/sbin:/bin", HOME="/root")
            enter = f"mount -t proc proc {ROOT}/proc; mount --bind /dev {ROOT}/dev; exec chroot {ROOT} bash -s"
            call("unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-ec", enter, input=script.encode(), env=env, **quiet)
    top = SOURCES / "root/ansible"
    if not (top / ".made").exists():
        print(f"Fetching the sources of ansible-core {VERSION}, which hold its suites", flush=True)
        shutil.rmtree(SOURCES, ignore_errors=True)
        top.mkdir(parents=True)
        with tempfile.TemporaryDirectory() as folder:
            # a source package is asked for its name before it is handed over: with the tools that it names
            call("python3", "-m", "venv", folder + "/venv")
            pip = folder + "/venv/bin/pip"
            call(pip, "install", "-q", "--disable-pip-version-check", "setuptools>=66.1,<=80", "wheel")
            call(pip, "download", "-q", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:", "--no-build-isolation",
                 "-d", folder, f"ansible-core=={VERSION}")
            archive = f"{folder}/ansible_core-{VERSION}.tar.gz"
            call("tar", "xzf", archive, "-C", top, "--strip-components=1", f"ansible_core-{VERSION}/test")
        (top / ".made").touch()


# What a shared kernel has only one of: its clock, modules, memory, log, security modules.
DROP = ["setpriv", "--bounding-set=-sys_time,-sys_module,-sys_rawio,-syslog,-mac_admin,-mac_override,-wake_alarm"]

START = r"""
set -e
mount --make-rprivate /
M=%(dir)s/merged
mount -t overlay overlay -o 'lowerdir=%(lower)s,upperdir=%(dir)s/upper,workdir=%(dir)s/work' $M
mount -t tmpfs -o mode=755 tmpfs $M/dev
for n in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do IFS=: read a b c <<<"$n"; mknod -m 666 $M/dev/$a c $b $c; done
mkdir $M/dev/pts $M/dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts $M/dev/pts
ln -s pts/ptmx $M/dev/ptmx
mount -t tmpfs -o mode=1777 tmpfs $M/dev/shm
ln -s /proc/self/fd $M/dev/fd
for n in 0:stdin 1:stdout 2:stderr; do ln -s /proc/self/fd/${n%%%%:*} $M/dev/${n##*:}; done
mount -t proc proc $M/proc
mount -t sysfs sysfs $M/sys
mount -t tmpfs -o mode=755 tmpfs $M/run
mkdir -p $M/run/sshd $M/run/lock
hostname testhost
%(binds)s
# settings of the kernel can be read; those of the host's own network can be set
mkdir -p $M/rig/.sys
mount --bind $M/proc/sys $M/rig/.sys
mount --bind $M/proc/sys $M/proc/sys
mount -o remount,bind,ro $M/proc/sys
if [ %(net)s = private ]; then mount --bind $M/rig/.sys/net $M/proc/sys/net; fi
umount $M/rig/.sys
rmdir $M/rig/.sys
for f in sysrq-trigger irq bus fs; do if [ -e $M/proc/$f ]; then mount --bind $M/proc/$f $M/proc/$f; mount -o remount,bind,ro $M/proc/$f; fi; done
mount -o remount,bind,ro $M/sys
if [ %(net)s = private ]; then ip link set lo up; fi
%(extra)s
exec %(drop)s %(init)s
"""

# units that have nothing to do in a namespace, or that would reach for the machine
MASKED = [f"systemd-{unit}.service" for unit in (
    "udevd", "udev-trigger", "resolved", "networkd", "timesyncd", "modules-load", "logind", "sysctl", "binfmt",
)] + """sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount getty.target console-getty.service
dev-hugepages.mount proc-sys-fs-binfmt_misc.automount apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer""".split()


class Guard:
    """Notices that something reached through to this machine: its clock, or a setting of its kernel."""

    WATCHED = """kernel/randomize_va_space kernel/core_pattern kernel/kptr_restrict kernel/printk fs/protected_hardlinks
fs/protected_symlinks fs/suid_dumpable fs/file-max vm/swappiness vm/overcommit_memory net/ipv4/ip_forward net/ipv4/conf/all/rp_filter""".split()

    def __init__(self):
        self.clock, self.settings = self.offset(), self.read()

    @staticmethod
    def offset():
        return time.clock_gettime(time.CLOCK_REALTIME) - time.clock_gettime(time.CLOCK_BOOTTIME)

    def read(self):
        return {name: pathlib.Path("/proc/sys", name).read_text().strip() for name in self.WATCHED if os.path.exists("/proc/sys/" + name)}

    def check(self, what):
        """Ends the program if anything moved."""
        moved = ["the clock"] if abs(self.offset() - self.clock) > 2 else []
        moved += [name for name, value in self.read().items() if value != self.settings[name]]
        if moved:
            os.write(2, f"STOPPED after {what}: it changed this machine's own {', '.join(moved)}\n".encode())
            os._exit(3)


class Host:
    """One throw-away host. What its script writes to /out is in `out`."""

    def __init__(self, name, binds=(), shares_network=False):
        scratch = CACHE / "hosts"
        scratch.mkdir(parents=True, exist_ok=True)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=name + "-", dir=scratch))
        for folder in ("upper/out", "upper/rig", "work", "merged"):
            (self.dir / folder).mkdir(parents=True)
        self.dir.chmod(0o755)
        self.out = self.dir / "upper/out"
        self.binds, self.net = list(binds), "host" if shares_network else "private"
        self.group = self.process = None

    def write(self, path, text, mode=0o644):
        file = self.dir / "upper" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def run(self, script, env, log, timeout):
        """Runs a script as the host's only process; its exit code, None if it did not end in time."""
        self.write("/rig/inner.sh", script, 0o755)
        with open(log, "wb") as output:
            self.start(env, output)
            try:
                return self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                return None
            finally:
                self.kill()

    def run_booted(self, script, env, log, timeout):
        """The same under a systemd that has started."""
        self.write("/rig/inner.sh", script, 0o755)
        wait = ("for i in $(seq 100); do case $(systemctl is-system-running 2>&1) in running|degraded) break;; esac; sleep 0.1; done; "
                "exec bash /rig/inner.sh")
        with open(log, "wb") as output:
            try:
                self.boot(output)
                process = subprocess.Popen(self.enter("/bin/bash", "-c", wait), env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
                try:
                    return process.wait(timeout)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    return None
            finally:
                self.kill()

    def boot(self, output):
        mounted = "/sys/fs/cgroup/unified" if os.path.isdir("/sys/fs/cgroup/unified") else "/sys/fs/cgroup"
        self.group = pathlib.Path(mounted, f"conformance-{self.dir.name}")
        self.group.mkdir()
        self.write("/etc/machine-id", "")
        extra = f"""mount -t cgroup2 cgroup2 $M/sys/fs/cgroup
mkdir -p $M/etc/systemd/system
for u in {" ".join(MASKED)}; do ln -sf /dev/null $M/etc/systemd/system/$u; done"""
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "container": "other"}
        self.start(env, output, extra, "chroot $M /lib/systemd/systemd")

    def enter(self, *argv):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
            if children and pathlib.Path(f"/proc/{children[0]}/comm").read_text().strip() == "systemd":
                return [*DROP, "nsenter", "-t", children[0], "-m", "-p", "-n", "-u", "-i", "-C", "-r", "-w", *argv]
            time.sleep(0.1)
        raise RuntimeError("systemd did not start")

    def start(self, env, output, extra="", init="chroot $M /bin/bash /rig/inner.sh"):
        self.write("/etc/hostname", "testhost\n")
        hosts = "127.0.0.1 localhost testhost\n::1 localhost ip6-localhost\n"
        if self.net == "host":
            hosts = pathlib.Path("/etc/hosts").read_text() + "127.0.0.1 testhost\n"
        self.write("/etc/hosts", hosts)
        binds = "\n".join(f"mkdir -p $M{os.path.dirname(to)}; touch $M{to}; mount --bind {source} $M{to}" for source, to in self.binds)
        script = START % {
            "dir": self.dir, "lower": f"{SOURCES}:{ROOT}", "binds": binds, "net": self.net, "extra": extra, "drop": " ".join(DROP), "init": init,
        }
        argv = ["nice", "unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
        if self.net == "private":
            argv.append("--net")
        if self.group:
            argv = ["bash", "-c", f'echo $$ >{self.group}/cgroup.procs; exec "$@"', "host", *argv, "--cgroup"]
        self.process = subprocess.Popen([*argv, "bash", "-c", script], env=env, stdin=subprocess.DEVNULL, stdout=output,
                                        stderr=subprocess.STDOUT, start_new_session=True)

    def kill(self):
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()

    def close(self):
        """Deletes what the host wrote; its processes have ended."""
        for _ in range(20):
            if self.group and self.group.exists():
                for folder, _, _ in os.walk(self.group, topdown=False):
                    try:
                        os.rmdir(folder)
                    except OSError:
                        pass
            shutil.rmtree(self.dir, ignore_errors=True)
            if not self.dir.exists() and not (self.group and self.group.exists()):
                return
            time.sleep(0.2)
