#!/usr/bin/env python3
"""Compares `--syntax-check` and `--list-tasks` of rplay and of ansible-playbook on playbooks that others have published.

  compare.py --rplay FILE --ansible FILE [--fetch] [NAME...]

The repositories lie in .cache/public/OWNER.NAME; --fetch clones those that are missing from GitHub. Nothing of them is run. For a role, a playbook
that uses it is made. A difference is shown as the first lines that differ; the last line is "N agree, N differ".
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache/public"
PLAY = re.compile(r"^\s*-?\s*(?:ansible\.builtin\.)?(?:hosts|import_playbook|include)\s*:", re.M)


def fetch(name):
    folder = CACHE / name.replace("/", ".")
    if not folder.exists():
        subprocess.run(["git", "clone", "-q", "--depth", "1", f"https://github.com/{name}", folder], check=True)


def playbooks(repository):
    """The files that hold plays; for a role a playbook of our own."""
    if (repository / "tasks").is_dir() and not list(repository.glob("*.yml")):
        made = repository.parent / f"{repository.name}.playbook.yml"
        made.write_text(f"- hosts: all\n  roles:\n    - {repository.name}\n")
        return [made]
    found = []
    for file in sorted(repository.rglob("*.yml")):
        below = file.relative_to(repository).parts
        if any(part in ("tasks", "handlers", "defaults", "vars", "meta", "templates", "files", "group_vars", "host_vars", ".github") for part in below):
            continue
        text = file.read_text(errors="replace")
        if re.match(r"(?:\s*(?:#.*)?\n|---.*\n)*\s*-", text) and PLAY.search(text):
            found.append(file)
    return found


def run(program, file, repository, option):
    """Exit code and standard output of one of the two."""
    with tempfile.TemporaryDirectory() as home:
        env = {
            "PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8", "ANSIBLE_DEPRECATION_WARNINGS": "false",
            "ANSIBLE_ROLES_PATH": str(repository.parent), "ANSIBLE_NOCOLOR": "1",
        }
        cwd = file.parent
        if (repository / "ansible.cfg").exists():
            cwd = repository
            del env["ANSIBLE_ROLES_PATH"]
        try:
            done = subprocess.run([program, "-i", "localhost,", option, file], cwd=cwd, env=env, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return None, "", "did not end"
    return done.returncode, done.stdout, done.stderr


def compare(job):
    file, repository, options = job
    problems, codes = [], []
    for option in ("--syntax-check", "--list-tasks"):
        theirs = run(options.ansible, file, repository, option)
        ours = run(options.rplay, file, repository, option)
        codes.append(theirs[0])
        # a playbook that cannot be loaded is refused by both, each in its words
        if theirs[0] != ours[0] or (theirs[0] == 0 and theirs[1] != ours[1]):
            lines = next(((a, b) for a, b in zip(theirs[1].splitlines() + [""] * 999, ours[1].splitlines() + [""] * 999) if a != b), ("", ""))
            problems.append(f"  {option}: ansible {theirs[0]}, rplay {ours[0]}\n    ansible: {lines[0]}\n    rplay:   {lines[1]}\n"
                            f"    ansible: {' / '.join(theirs[2].splitlines()[-3:])[:300]}\n    rplay:   {' / '.join(ours[2].splitlines()[:6])[:600]}")
    return file, codes, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--rplay", required=True)
    parser.add_argument("--ansible", required=True)
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    options.rplay, options.ansible = os.path.realpath(options.rplay), os.path.abspath(options.ansible)
    names = options.names or (HERE / "repositories.txt").read_text().split()
    CACHE.mkdir(parents=True, exist_ok=True)
    jobs = []
    for name in names:
        if options.fetch:
            fetch(name)
        folder = CACHE / name.replace("/", ".")
        if not folder.is_dir():
            sys.exit(f"{name} is not in .cache/public: --fetch clones it")
        jobs += [(file, folder, options) for file in playbooks(folder)]
    differ = 0
    refused = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for file, codes, problems in pool.map(compare, jobs):
            differ += bool(problems)
            refused += any(codes) and not problems
            if problems:
                print(f"DIFFER {file.relative_to(CACHE)}\n" + "\n".join(problems), flush=True)
    print(f"{len(jobs) - differ} agree ({refused} of them refused by both), {differ} differ")
    sys.exit(differ != 0)


if __name__ == "__main__":
    main()
