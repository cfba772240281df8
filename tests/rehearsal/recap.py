"""Checks the recaps of runs: nothing failed or was unreachable, and what should have changed nothing did not.

    recap.py FOLDER RUN[:HOSTS]... [--unchanged RUN[:HOSTS]...]

The output of each is FOLDER/RUN.txt; HOSTS is how many hosts it must have reached, 1 if not given.
"""

import pathlib
import re
import sys


def recap(path):
    """The counts of each host."""
    _, _, text = path.read_text().rpartition("PLAY RECAP")
    lines = [line for line in text.splitlines() if re.match(r"\S+ +: ok=", line)]
    return {line.split()[0]: {key: int(n) for key, n in re.findall(r"(\w+)=(\d+)", line)} for line in lines}


def main(folder, *names):
    wrong, still = [], False
    for name in names:
        if name == "--unchanged":
            still = True
            continue
        name, _, wanted = name.partition(":")
        hosts = recap(pathlib.Path(folder) / f"{name}.txt")
        if len(hosts) != int(wanted or 1):
            wrong.append(f"{name}: {len(hosts)} hosts are in the recap, and not {wanted or 1}")
        for host, counts in hosts.items():
            keys = ["failed", "unreachable"] + ["changed"] * still
            wrong += [f"{name}: {host}: {key}={counts[key]}" for key in keys if counts[key]]
        total = {key: sum(c[key] for c in hosts.values()) for key in ("ok", "changed", "unreachable", "failed")}
        print(f"{name:<22}hosts={len(hosts):<3} " + " ".join(f"{key}={n:<4}" for key, n in total.items()).rstrip())
    for line in wrong:
        print(f"FAILED  {line}", file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main(*sys.argv[1:]))
