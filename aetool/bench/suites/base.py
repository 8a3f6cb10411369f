# SPDX-License-Identifier: Apache-2.0
"""What every suite's adapter is made of.

An adapter says how to prepare, warm up, measure and read one benchmark on one target. Everything that all
suites share - directories, daemons, raw files, running on many VMs at once - is `aetool.bench.step`'s.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, Protocol, TypeVar

from pydantic import Field, create_model

from aetool.core.config import Model
from aetool.core.errors import AetoolError
from aetool.core.journal import PlannedStep

if TYPE_CHECKING:
    from aetool.core.ssh import Remote, Result


class SanityError(AetoolError):
    """The benchmark ran to its end, but its output cannot be trusted (failed requests, a wrong page)."""

    exit_code = 6


class Parameters(Model):
    """What a profile of any suite sets.

    deadline_seconds: the measured command is ended after this time.
    estimate_seconds: what one step takes on the machine that the profile is meant for, for planning.
    """

    deadline_seconds: int = Field(gt=0, le=86400)
    estimate_seconds: float = Field(gt=0)


P = TypeVar("P", bound=Parameters)


class Definition(Model, Generic[P]):
    """A file benchmarks/<suite>.yaml."""

    suite: str
    description: str
    profiles: dict[str, P]


@dataclass(frozen=True)
class Reading:
    """One number read from raw output."""

    metric: str
    value: float
    unit: str
    better: Literal["higher", "lower"]


class Bed(Protocol):
    """The machines that a campaign runs on, as the workflow hands them over."""

    def refuses(self, configuration: str, vms: int) -> str | None:
        """Why this lab cannot give `machines` for that configuration and number; None if it can.

        Raises LabError only for what concerns the whole run, such as a host that cannot be reached.
        """
        ...

    def machines(self, configuration: str, vms: int, repetition: int) -> Sequence[Remote]:
        """The machines under test, up and in that configuration; guests serve one repetition only.

        The server itself if `vms` is 0: also under a hypervisor, for suites with a guest of their own.
        Asked again for the same, the same are given. Raises LabError.
        """
        ...

    def load(self) -> Remote:
        """The machine that sends the load."""
        ...

    def bare_metal(
        self, machine: Remote, work: str, qemu: str, iterations: int, repetitions: int
    ) -> list[str]:
        """Put the project's own measuring guest into `work` on the machine; the command that runs it.

        Raises LabError.
        """
        ...

    def reconnect(self) -> None:
        """Drop every connection and make new ones; raises HostUnreachable if that fails."""
        ...


class Target(Protocol):
    """Where one instance of a suite runs.

    `machine` is the host or VM under test, reached by the load under `address`; `load` is the machine that
    sends the load; `work` is a directory that exists on both while the step lasts.
    """

    @property
    def machine(self) -> Remote: ...
    @property
    def load(self) -> Remote: ...
    @property
    def address(self) -> str: ...
    @property
    def work(self) -> str: ...

    def install(self, files: Mapping[str, bytes]) -> None:
        """Put files into `work` on the machine, by their names relative to it."""
        ...

    def bare_metal(self, qemu: str, iterations: int, repetitions: int) -> list[str]:
        """Put the project's own measuring guest on the machine; returns the command that runs it."""
        ...

    def daemon(self, name: str, command: list[str], *, port: int) -> None:
        """Start a daemon on the machine that lives until the step ends; return when it listens on `port`."""
        ...

    def measure(self, remote: Remote, command: list[str], *, timeout: float, label: str = "run") -> Result:
        """Run a command and keep command line, standard output and error as raw files named by `label`."""
        ...


class Suite(ABC, Generic[P]):
    """The adapter of one suite.

    own_guest: the suite starts one guest of its own on the server and runs in no VM that is there already.
    programs: what must be there: (place, program or absolute path) -> how to supply it. The place is
        "machine", "load", or "here" where aetool itself runs.
    """

    name: ClassVar[str]
    own_guest: ClassVar[bool] = False
    programs: ClassVar[Mapping[tuple[str, str], str]]
    parameters: type[P]

    def definition(self) -> type[Definition[P]]:
        """The model of this suite's YAML file."""
        return create_model(
            f"{self.name.capitalize()}Definition",
            __base__=Definition[self.parameters],  # type: ignore[name-defined]
        )

    def needs(self, parameters: P) -> Mapping[tuple[str, str], str]:
        """`programs`, and whatever else these parameters name."""
        return self.programs

    def prepare(self, target: Target, parameters: P) -> None:
        """Put files and daemons in place."""

    def machines(self, bed: Bed, step: PlannedStep) -> Sequence[Remote]:
        """Where the suite runs; raises LabError."""
        return bed.machines(step.configuration, 0 if self.own_guest else step.vms, step.repetition)

    @abstractmethod
    def amounts(self, parameters: P) -> tuple[int, int]:
        """How much load the warm-up (0: none) and the measured run are, in the suite's own unit."""

    @abstractmethod
    def load(self, target: Target, parameters: P, amount: int, label: str) -> Result:
        """Run the load: starts at once, ends by itself, keeps its raw files under `label`."""

    def warm_up(self, target: Target, parameters: P) -> None:
        """Run the load unmeasured and shorter."""
        amount = self.amounts(parameters)[0]
        if amount:
            self.load(target, parameters, amount, "warm-up")

    def run(self, target: Target, parameters: P) -> Result:
        """Run the load that is measured."""
        return self.load(target, parameters, self.amounts(parameters)[1], "run")

    @abstractmethod
    def read(self, output: str, parameters: P) -> list[Reading]:
        """Numbers from the raw standard output; raises SanityError if it cannot be trusted."""
