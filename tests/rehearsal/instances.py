"""Prints the cluster's instances for script/rehearsal.sh, a line for each:

    HOST ADDRESS PUBLIC ROLE ADDRESS=NAME...

HOST is the host's own name, PUBLIC `-` if there is none, ROLE `jumphost` or `node`.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))

from account import Account, tags  # noqa: E402

for instance in Account().instances:
    address = instance["PrivateIpAddress"]
    public = instance.get("PublicIpAddress", "-")
    names = [f"{address}={instance['PrivateDnsName']}"]
    if instance.get("PublicDnsName"):
        names.append(f"{public}={instance['PublicDnsName']}")
    role = "jumphost" if "ssh_jumphost" in tags(instance) else "node"
    print("ip-" + address.replace(".", "-"), address, public, role, *names)
