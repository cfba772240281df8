"""Asks ansible-core what the expressions of a file are, and writes the answers below them.

A line is an expression, `= JSON` what it is, `! TEXT` the error it ends with. `#` starts a comment.
`?` before an expression asks nothing anew: the answer below was written by hand.
"""

import json
import logging
import os
import sys
import warnings

os.environ["ANSIBLE_DEPRECATION_WARNINGS"] = "0"
# the test puts its own in this one's place
os.environ["HOME"] = "/home/user"
warnings.simplefilter("ignore")
logging.disable()

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

init_plugin_loader([])

HERE = os.path.dirname(os.path.abspath(__file__))
VARIABLES = json.load(open(os.path.join(HERE, "variables.json")))


def ask(expression):
    loader = DataLoader()
    loader.set_basedir(HERE)
    templar = Templar(loader=loader, variables=VARIABLES)
    try:
        return "= " + json.dumps(templar.template(trust_as_template("{{ " + expression + " }}")))
    except Exception as e:
        return "! " + str(e).replace("\n", "\\n")


def main(path):
    out = []
    lines = open(path).read().split("\n")
    by_hand = False
    for line in lines:
        if line.startswith(("= ", "! ")):
            if by_hand:
                out.append(line)
            continue
        out.append(line)
        by_hand = line.startswith("? ")
        if line.strip() and not line.startswith("#") and not by_hand:
            out.append(ask(line))
    open(path, "w").write("\n".join(out))


main(sys.argv[1])
