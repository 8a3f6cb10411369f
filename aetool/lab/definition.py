# SPDX-License-Identifier: Apache-2.0
"""Lab definitions: the YAML files that say which hosts there are and where they come from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from aetool.core.config import Model, load_yaml, read_yaml
from aetool.core.errors import ConfigError
from aetool.core.project import project_root
from aetool.core.ssh_connect import parse_public_key
from aetool.lab.guests import Source

ROLES = ("server", "client")


def _public_key(text: str) -> str:
    try:
        parse_public_key(text)
    except ConfigError as error:
        raise ValueError(error.message) from error
    return text


class ArmDefinition(Model):
    """An emulated Arm server with EL2 and a client beside it, on this machine.

    cpu: QEMU's name of the processor; cortex-a57 (no VHE, like the X-Gene of m400) boots fastest.
    memory_mib: of the server; eight guests of 256 MiB need 4096.
    """

    provider: Literal["arm"]
    description: str
    suite: Literal["bookworm"] = "bookworm"
    cpu: Literal["cortex-a57", "cortex-a72", "neoverse-n1", "max,pauth-impdef=on"] = "cortex-a57"
    cpus: Annotated[int, Field(ge=1, le=8)] = 2
    memory_mib: Annotated[int, Field(ge=1024, le=65536)] = 4096
    gic: Literal[2, 3] = 3
    guests: Source = Field(default_factory=Source)


class StaticHost(Model):
    """A host that somebody else looks after.

    address: on the experiment network, where load is sent to.
    ssh: where its sshd is reached, if not there (CloudLab: the control network).
    key: private key file to log in with, relative to the definition.
    host_key: its public host key, "TYPE BASE64".
    sudo: log in as `user` and run everything through sudo.
    """

    address: str
    ssh: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    user: str = "root"
    key: str
    host_key: Annotated[str, AfterValidator(_public_key)]
    sudo: bool = False


class StaticHosts(Model):
    """The two machines of a static lab."""

    server: StaticHost
    client: StaticHost


class StaticDefinition(Model):
    """Two hosts that exist already. `emulated`: their numbers say nothing about Arm hardware."""

    provider: Literal["static"]
    description: str
    emulated: bool
    hosts: StaticHosts
    guests: Source = Field(default_factory=Source)


class NetnsDefinition(Model):
    """Two Linux namespaces on this machine."""

    provider: Literal["netns"]
    description: str


class Experiment(Model):
    """A CloudLab experiment to create, or to use if it runs already.

    name: at most 16 characters (the portal's limit). bindings: values of the profile's parameters.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,15}$")]
    project: str
    profile: str
    profile_project: str | None = None
    hours: Annotated[int, Field(ge=1)] = 16
    bindings: dict[str, str] = Field(default_factory=dict)


class CloudlabDefinition(Model):
    """Two CloudLab nodes: those of a manifest, or of an experiment that the portal is asked for.

    user, key: log-in of your CloudLab account; commands go through sudo unless the user is root.
    host_keys: public host keys by role; those not given are learnt when the hosts are first up.
    """

    provider: Literal["cloudlab"]
    description: str
    user: str
    key: str
    manifest: str | None = None
    experiment: Experiment | None = None
    portal: str = "https://boss.emulab.net:43794"
    token_file: str | None = None
    host_keys: dict[str, Annotated[str, AfterValidator(_public_key)]] = Field(default_factory=dict)
    guests: Source = Field(default_factory=Source)

    @model_validator(mode="after")
    def _one_source(self) -> CloudlabDefinition:
        if (self.manifest is None) == (self.experiment is None):
            raise ValueError("give either manifest or experiment")
        if strange := set(self.host_keys) - set(ROLES):
            raise ValueError(f"host_keys: {sorted(strange)} are not among {', '.join(ROLES)}")
        return self


Definition = ArmDefinition | CloudlabDefinition | NetnsDefinition | StaticDefinition
_MODELS: dict[
    str,
    type[ArmDefinition] | type[CloudlabDefinition] | type[NetnsDefinition] | type[StaticDefinition],
] = {
    "arm": ArmDefinition,
    "cloudlab": CloudlabDefinition,
    "netns": NetnsDefinition,
    "static": StaticDefinition,
}


def definition_path(lab: str | Path) -> Path:
    """The file of a lab: the path itself, or for a bare name cloudlab/NAME.yaml; raises ConfigError."""
    text = str(lab)
    if isinstance(lab, Path) or "/" in text or text.endswith((".yaml", ".yml")):
        return Path(lab)
    folder = project_root() / "cloudlab"
    path = folder / f"{text}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml") if "." not in p.stem))
        raise ConfigError(
            f"there is no lab {text!r}", hint=f"labs in {folder}: {known or 'none'}; or give a file"
        )
    return path


def load_definition(path: Path) -> Definition:
    """Read a definition; raises ConfigError naming file, line and field."""
    data = read_yaml(path)
    provider = data.get("provider") if isinstance(data, dict) else None
    if provider not in _MODELS:
        raise ConfigError(
            f"{path}: provider: found {provider!r}, allowed are {', '.join(sorted(_MODELS))}",
            hint="the first key of a lab definition says where its hosts come from",
        )
    return load_yaml(path, _MODELS[provider])


def check_name(name: str) -> str:
    """A lab's name becomes part of file and namespace names; raises ConfigError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", name):
        raise ConfigError(
            f"{name!r} cannot be the name of a lab: use letters, digits, '-', '_' and '.', at most 40"
        )
    return name
