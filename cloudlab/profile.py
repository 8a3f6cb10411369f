# SPDX-License-Identifier: Apache-2.0
"""Two m400 servers on a private network, with a block store on /mydata: the machines of the SeKVM artifact.

Instructions:
Wait until both nodes are ready, save the manifest (tab Manifest), then on your own machine follow docs/lab.md
of aetool. The server is 10.10.1.1, the client 10.10.1.2.
"""

from geni import portal
from geni.rspec import pg

context = portal.Context()
context.defineParameter(
    "hardware",
    "Node type",
    portal.ParameterType.NODETYPE,
    "m400",
    longDescription="The artifact was evaluated on m400 (APM X-Gene 1, 8 cores, 64 GB).",
)
context.defineParameter(
    "image",
    "Disk image",
    portal.ParameterType.IMAGE,
    "urn:publicid:IDN+utah.cloudlab.us+image+emulab-ops//UBUNTU18-64-ARM",
    longDescription="An arm64 image; kernels are replaced later.",
)
context.defineParameter(
    "storage",
    "Size of /mydata in GB",
    portal.ParameterType.INTEGER,
    80,
    longDescription="The root file system of 16 GB is too small for kernel builds and VM images.",
)
parameters = context.bindParameters()
if parameters.storage < 40:
    context.reportError(
        portal.ParameterError("A kernel build and the VM images need 40 GB at least", ["storage"])
    )
context.verifyParameters()

request = context.makeRequestRSpec()
lan = request.LAN("experiment")
for number, name in enumerate(("server", "client"), start=1):
    node = request.RawPC(name)
    node.hardware_type = parameters.hardware
    node.disk_image = parameters.image
    interface = node.addInterface("eth1")
    interface.addAddress(pg.IPv4Address(f"10.10.1.{number}", "255.255.255.0"))
    lan.addInterface(interface)
    store = node.Blockstore(f"mydata-{name}", "/mydata")
    store.size = f"{parameters.storage}GB"
context.printRequestRSpec(request)
