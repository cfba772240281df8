"""moto's server, with what it forgets and AWS keeps.

A drop-in for `moto_server`: same arguments. Each correction names what AWS does; it goes when moto does it too.
"""

import sys

from moto.elb import models as elb
from moto.server import main


def keep_instance_protocols() -> None:
    """A classic load balancer's listener has a protocol to the instances of its own, InstanceProtocol."""

    def remember(listeners, ports):
        for port in ports:
            for listener in listeners:
                if str(listener.load_balancer_port) == str(port["LoadBalancerPort"]):
                    listener.behind = (port.get("InstanceProtocol") or port["Protocol"]).upper()

    elb.FakeListener.instance_protocol = property(lambda self: getattr(self, "behind", self.protocol))

    create = elb.LoadBalancer.__init__

    def created(self, *args, **kwargs):
        create(self, *args, **kwargs)
        remember(self.listeners, kwargs["ports"] if "ports" in kwargs else args[3])

    elb.LoadBalancer.__init__ = created

    add = elb.ELBBackend.create_load_balancer_listeners

    def added(self, name, ports):
        balancer = add(self, name, ports)
        if balancer:
            remember(balancer.listeners, ports)
        return balancer

    elb.ELBBackend.create_load_balancer_listeners = added


def delete_all_ports() -> None:
    """DeleteLoadBalancerListeners with several ports leaves none of them."""

    def delete(self, name, ports):
        balancer = self.get_load_balancer(name)
        gone = {int(port) for port in ports}
        balancer.listeners = [one for one in balancer.listeners if int(one.load_balancer_port) not in gone]
        return balancer

    elb.ELBBackend.delete_load_balancer_listeners = delete


if __name__ == "__main__":
    delete_all_ports()
    keep_instance_protocols()
    main(sys.argv[1:])
