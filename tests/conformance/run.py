#!/usr/bin/env python3
"""Runs the suites that ansible-core's maintainers test it with (its source package on PyPI holds them), with rplay in the place of
ansible-playbook.

  run.py --rplay FILE [--agent FILE]     all suites of suites.txt; ends with "N passed, N failed"
  run.py ... SUITE...                    those alone
  run.py ... --others                    those of others.txt, which nothing depends on
  run.py --oracle SUITE...               real ansible-playbook, to see what it does
  run.py ... --report FILE               writes what was found into its part of a page (docs/conformance.md)

Every suite runs in a throw-away host (sandbox.py), as root, with the environment, inventory and playbook around it that ansible-test would give it.
Commands beside ansible-playbook, which some suites call, are real Ansible's. A suite passes when its script or playbook ends with 0 after at
least nine tenths of the tasks that were ok with real Ansible. Logs: .cache/conformance/logs.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import sys
import threading
import time

import sandbox

HERE = pathlib.Path(__file__).resolve().parent
INTEGRATION = "/root/ansible/test/integration"
TARGETS = sandbox.SOURCES / INTEGRATION.lstrip("/") / "targets"

# in the place of ansible-playbook: calls the runner and keeps a copy of what it prints
PLAYBOOK = """#!/bin/bash
if [ -t 1 ]; then exec %(runner)s "$@"; fi
n=0
until mkdir /out/calls/$((++n)) 2>/dev/null; do :; done
d=/out/calls/$n
{ %(runner)s "$@" 2>&3 | tee $d/stdout; echo ${PIPESTATUS[0]} >$d/rc; } 3>&2
exit $(cat $d/rc)
"""

INNER = """#!/bin/bash
cd %(cwd)s
mkdir -p /out/calls "$OUTPUT_DIR" /root/.ansible
%(first)s
( %(command)s ) </dev/null &
wait $!
exit $?
"""

COMMANDS = "ansible ansible-vault ansible-inventory ansible-doc ansible-config ansible-galaxy ansible-console ansible-pull".split()
PYTHON = "python python3 pip pip3 virtualenv jp.py".split()
# ansible-test's helper that makes a virtualenv: the hosts have those packages already
VIRTUALENV = """rm -rf "$OUTPUT_DIR/venv"
mkdir -p "$OUTPUT_DIR/venv/bin"
ln -s /usr/bin/python3 "$OUTPUT_DIR/venv/bin/python"
PATH="$OUTPUT_DIR/venv/bin:$PATH"
deactivate() { :; }
pip() { :; }
"""

Suite = collections.namedtuple("Suite", "name area ok seconds flags stops_at")
Outcome = collections.namedtuple("Outcome", "suite passed code seconds ok calls task error")


def suites(file):
    """The lines of a list: name, area, tasks that are ok with real Ansible, its seconds, flags, and where it stops for want of the internet."""
    for line in file.read_text().splitlines():
        if line and not line.startswith("#"):
            name, area, ok, seconds, flags, *stops_at = line.split(None, 5)
            yield Suite(name, area, int(ok), int(seconds), set(flags.split(",")) - {"-"}, "".join(stops_at))


def aliases(name):
    file = TARGETS / name / "aliases"
    lines = file.read_text().splitlines() if file.exists() else []
    return [line.split("#")[0].strip().rstrip("/") for line in lines if line.split("#")[0].strip()]


def environment(suite):
    env = {
        "PATH": "/rig/bin:/rig/cli:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root", "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash", "TERM": "dumb", "LC_ALL": "en_US.UTF-8", "LANG": "en_US.UTF-8",
        "PAGER": "/bin/cat", "DEBIAN_FRONTEND": "noninteractive",
        "ANSIBLE_FORCE_COLOR": "false", "ANSIBLE_FORCE_HANDLERS": "true", "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
        "ANSIBLE_INVENTORY": "/dev/null", "ANSIBLE_DEPRECATION_WARNINGS": "false", "ANSIBLE_HOST_KEY_CHECKING": "false",
        "ANSIBLE_RETRY_FILES_ENABLED": "false", "ANSIBLE_CONFIG": "/rig/ansible.cfg", "ANSIBLE_DEVEL_WARNING": "false",
        "ANSIBLE_PYTHON_INTERPRETER": "/set/ansible_python_interpreter/in/inventory",
        "ANSIBLE_COLLECTIONS_PATH": "/root/ansible/test/support/integration/collections",
        "ANSIBLE_LIBRARY": "/root/ansible/test/support/integration/plugins/modules", "ANSIBLE_PLAYBOOK_DIR": INTEGRATION,
        "ANSIBLE_TEST_CI": "local", "ANSIBLE_TEST_CONTENT_ROOT": "/root/ansible", "ANSIBLE_TEST_ANSIBLE_VERSION": sandbox.VERSION,
        "ANSIBLE_TEST_PYTHON_VERSION": "3.11", "ANSIBLE_TEST_PYTHON_INTERPRETER": "/opt/ansible/bin/python",
        "ANSIBLE_TEST_ANSIBLE_LIB_ROOT": "/opt/ansible/lib/python3.11/site-packages/ansible",
        # the suites' own helpers use Ansible's Python packages, whichever Python runs them
        "PYTHONPATH": "/opt/ansible/lib/python3.11/site-packages",
        "OUTPUT_DIR": "/root/output_dir", "INVENTORY_PATH": f"{INTEGRATION}/inventory",
        **sandbox.pip_settings(),
    }
    if "http" in suite.flags:
        env["HTTPTESTER"] = "1"
    for alias in aliases(suite.name):
        if alias.startswith("env/set/"):
            key, value = alias.removeprefix("env/set/").split("/", 1)
            env[key] = value
    return env


def furnish(host, suite, runner):
    """Puts the commands and the inventory into the host; what is to be run before the suite."""
    def command(name, call):
        host.write(name, f'#!/bin/sh\nexec {call} "$@"\n', 0o755)

    host.write("/rig/bin/ansible-playbook", PLAYBOOK % {"runner": runner}, 0o755)
    host.write("/rig/ansible.cfg", "[defaults]\n")
    for name in COMMANDS + PYTHON:
        command(f"/rig/cli/{name}", f"/opt/ansible/bin/{name}")
    host.write("/rig/cli/virtualenv.sh", VIRTUALENV, 0o755)
    connection = "ansible_connection=local"
    if "needs/ssh" in aliases(suite.name):
        connection = "ansible_connection=ssh ansible_host=localhost ansible_port=22 ansible_user=root ansible_ssh_private_key_file=/root/.ssh/id_ed25519"
    host.write(f"{INTEGRATION}/inventory", f"[testgroup]\ntesthost {connection} ansible_pipelining=yes ansible_python_interpreter=/usr/bin/python3\n")
    first = []
    if host.net == "private":
        if "systemd" not in suite.flags:
            first.append("/usr/sbin/sshd")
        first.append("ssh-keyscan -T 2 localhost testhost 127.0.0.1 >>/root/.ssh/known_hosts 2>/dev/null")
    if "http" in suite.flags:
        host.write("/rig/http_server.py", (HERE / "http_server.py").read_text())
        first.append("/opt/httpbin/bin/python /rig/http_server.py start")
    return "\n".join(first)


def run(suite, options):
    """Runs a suite in a host of its own."""
    binds = []
    runner = "/opt/ansible/bin/ansible-playbook"
    if not options.oracle:
        runner = "/opt/rplay/rplay"
        binds.append((os.path.realpath(options.rplay), runner))
        if options.agent:
            binds.append((os.path.realpath(options.agent), "/opt/rplay/rplay-agent"))
            full = os.path.realpath(options.agent) + "-full"
            if os.path.exists(full):
                binds.append((full, "/opt/rplay/rplay-agent-full"))
    host = sandbox.Host(suite.name, binds, "net" in suite.flags)
    try:
        first = furnish(host, suite, runner)
        env = environment(suite)
        if (TARGETS / suite.name / "runme.sh").exists():
            cwd, command = f"{INTEGRATION}/targets/{suite.name}", "./runme.sh"
            env["ANSIBLE_PLAYBOOK_DIR"] = cwd
        else:
            cwd, command = INTEGRATION, f"ansible-playbook suite-{suite.name}.yml -i inventory"
            env["ANSIBLE_ROLES_PATH"] = f"{INTEGRATION}/targets"
            facts = "gather_facts/no" not in aliases(suite.name)
            play = {"hosts": "testhost", "gather_facts": facts, "vars": {"output_dir": "/root/output_dir"}, "roles": [suite.name]}
            host.write(f"{INTEGRATION}/suite-{suite.name}.yml", json.dumps([play]))
        log = options.logs / f"{suite.name}.log"
        script = INNER % {"cwd": cwd, "first": first, "command": command}
        limit = max(options.timeout, 1.5 * suite.seconds)
        start = time.monotonic()
        code = (host.run_booted if "systemd" in suite.flags else host.run)(script, env, log, limit)
        return judge(suite, host, log, code, time.monotonic() - start, options)
    finally:
        host.close()


COLOURS = re.compile(r"\x1b\[[0-9;]*m")
HEADING = re.compile(r"^(?:TASK|RUNNING HANDLER|PLAY|HANDLER) \[?(.*?)\]? \*{3,}")
RESULT = re.compile(r"^(ok|changed|skipping|fatal|failed|included): ")


def count(text):
    """How many tasks were ok, a host each, and the task and words of the first failure that was not ignored."""
    ok, task, seen, failure, pending = 0, "", set(), None, None
    for line in text.splitlines():
        line = COLOURS.sub("", line)
        if match := HEADING.match(line):
            failure, pending = failure or pending, None
            task, seen = match.group(1), set()
        elif line.startswith("...ignoring"):
            pending = None
            ok += 1
        elif match := RESULT.match(line):
            kind, host = match.group(1), line[match.end():].split("]")[0]
            if kind == "included":
                ok += 1
            elif kind == "fatal":
                pending = pending or (task, line)
            elif kind in ("ok", "changed") and host not in seen:
                seen.add(host)
                ok += 1
        elif line.startswith(("ERROR!", "[ERROR]")):
            pending = pending or (task, line)
    return ok, failure or pending


def judge(suite, host, log, code, seconds, options):
    calls, ok, failure = 0, 0, None
    for folder in (host.out / "calls").glob("*"):
        calls += 1
        counted, found = count((folder / "stdout").read_text(errors="replace"))
        ok += counted
        rc = folder / "rc"
        if found and rc.exists() and rc.read_text().strip() != "0":
            failure = found
    text = log.read_text(errors="replace")
    if code != 0:
        failure = count(text)[1] or failure or ("", " / ".join(text.splitlines()[-2:]))
    passed = code == 0
    if passed and not options.oracle and ok < 0.9 * suite.ok:
        passed, failure = False, ("", f"ended with 0 after {ok} tasks, {suite.ok} with real Ansible")
    elif code is None:
        failure = (failure or ("", ""))[0], "did not end in time"
    elif not passed and suite.stops_at and failure[0] == suite.stops_at and ok >= suite.ok:
        # real Ansible stops here too: there is no internet
        passed = True
    task, error = (None, None) if passed else failure
    return Outcome(suite, passed, code, seconds, ok, calls, task, error)


INTRODUCTION = f"""# ansible-core's own suites

Written by `script/conformance --report` and `script/conformance --others --report`, a part each. The suites are those in `test/integration/targets` of
ansible-core {sandbox.VERSION}'s source package; what is counted are tasks that were ok.
"""
# the lists, and the headings of their parts of the page
LISTS = {"suites.txt": "Suites that must pass", "others.txt": "Other suites"}


def report(outcomes, options):
    """The page that says how many suites pass, and why others do not. The part of the list that was not run stays as it is."""
    file = "others.txt" if options.others else "suites.txt"
    passed = sum(o.passed for o in outcomes)
    lines = [
        f"**{passed} of {len(outcomes)}** suites of [{file}](../tests/conformance/{file}) pass, with {sum(o.ok for o in outcomes)} tasks ok.",
        "",
        "| suite | area | passes | tasks ok | with ansible-core |",
        "|---|---|---|---|---|",
    ]
    for o in outcomes:
        lines.append(f"| {o.suite.name} | {o.suite.area} | {'yes' if o.passed else '**no**'} | {o.ok} | {o.suite.ok} |")
    old = options.report.read_text() if options.report.exists() else ""
    parts = dict(part.split("\n", 1) for part in old.split("\n## ")[1:])
    parts[LISTS[file]] = "\n" + "\n".join(lines) + "\n"
    page = [INTRODUCTION] + [f"## {heading}\n{parts[heading].rstrip()}\n" for heading in LISTS.values() if heading in parts]
    options.report.write_text("\n".join(page))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE")
    parser.add_argument("--rplay", help="the program to test")
    parser.add_argument("--agent", help="its agent, if it does not hold one")
    parser.add_argument("--oracle", action="store_true", help="run real ansible-playbook instead")
    parser.add_argument("--others", action="store_true", help="the suites of others.txt")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=120, help="seconds for a suite, at least")
    parser.add_argument("--logs", type=pathlib.Path, default=sandbox.CACHE / "logs")
    parser.add_argument("--report", type=pathlib.Path)
    options = parser.parse_args()
    if not options.oracle and not options.rplay:
        parser.error("--rplay FILE or --oracle")
    sandbox.build()
    options.logs.mkdir(parents=True, exist_ok=True)
    known = {s.name: s for file in ("suites.txt", "others.txt") for s in suites(HERE / file)}
    wanted = options.suites or [s.name for s in suites(HERE / ("others.txt" if options.others else "suites.txt"))]
    wanted = [known.get(name, Suite(name, "?", 0, 0, set(), "")) for name in wanted]
    for suite in wanted:
        if not (TARGETS / suite.name).is_dir():
            parser.error(f"ansible-core has no suite '{suite.name}'")
    guard, lock, done = sandbox.Guard(), threading.Lock(), []

    def word(outcome):
        if outcome.passed:
            return "passed"
        return "open" if "open" in outcome.suite.flags else "FAILED"

    def one(suite):
        if shutil.disk_usage(sandbox.CACHE).free < 2 << 30:
            sys.exit("less than 2 GB of disk are free")
        outcome = run(suite, options)
        guard.check(suite.name)
        if word(outcome) == "FAILED":
            # some of the suites count on how long things take
            print(f"again: {suite.name}, which failed at {outcome.task}: {outcome.error}", flush=True)
            outcome = run(suite, options)
            guard.check(suite.name)
        with lock:
            done.append(outcome)
            why = "" if outcome.passed else f"  {outcome.task}: {outcome.error}"[:220]
            print(f"{len(done):3}/{len(wanted)} {word(outcome):6} {suite.name:32} {outcome.seconds:6.1f} s  {outcome.ok:4} ok{why}", flush=True)
        return outcome

    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(one, wanted))
    if options.report:
        report(outcomes, options)
    failed = sum(word(o) == "FAILED" for o in outcomes)
    still = sum(word(o) == "open" for o in outcomes)
    print(f"ansible-core's suites: {sum(o.ok for o in outcomes)} tasks ok in {sum(o.calls for o in outcomes)} calls, {time.monotonic() - start:.0f} s")
    if still:
        print(f"open, and known to be so: {still} more")
    print(f"conformance: {len(outcomes) - failed - still} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
