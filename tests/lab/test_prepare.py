# SPDX-License-Identifier: Apache-2.0
"""Preparing real hosts: every step looks, does, and does nothing the second time."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from aetool.core.config import load_yaml
from aetool.core.errors import ConfigError
from aetool.core.progress import Silent
from aetool.core.ssh import SshRemote
from aetool.lab import Lab
from aetool.lab.guests import guests
from aetool.lab.prepare import RECORD, Outcome, Plan, load_plan, look, prepare
from aetool.lab.steps import Supplies

pytestmark = pytest.mark.e2e


@pytest.fixture
def server(lab: Lab) -> SshRemote:
    return lab.hosts["server"]


def plan(*server: dict[str, object], client: tuple[dict[str, object], ...] = ()) -> Plan:
    return Plan.model_validate({"description": "a test", "server": list(server), "client": list(client)})


def run(lab: Lab, asked: Plan, **supplied: Path) -> list[Outcome]:
    paths = {name.replace("_", "."): path for name, path in supplied.items()}
    return prepare(lab.hosts, asked, Supplies(paths, Silent()))


def states(outcomes: list[Outcome]) -> list[str]:
    return [one.state for one in outcomes]


def done_once(lab: Lab, asked: Plan) -> None:
    """What is planned is to do, is done by one run, and is there for the next."""
    count = len(look(lab.hosts, asked))
    assert states(look(lab.hosts, asked)) == ["todo"] * count
    outcomes = run(lab, asked)
    assert states(outcomes) == ["done"] * count, outcomes
    assert states(run(lab, asked)) == ["ok"] * count


# A repository of packages on the host itself: apt-get is real, the mirror is a directory.
REPOSITORY = """
mkdir -p /srv/mirror/build/DEBIAN
cd /srv/mirror
printf 'Package: aetool-probe\\nVersion: 1.2\\nArchitecture: all\\nMaintainer: a\\nDescription: a test\\n' \\
  >build/DEBIAN/control
mkdir -p build/usr/share/aetool-probe
echo here >build/usr/share/aetool-probe/file
dpkg-deb -b build aetool-probe.deb >/dev/null
dpkg-scanpackages -m . >Packages 2>/dev/null
rm -f /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/mirror ./' >/etc/apt/sources.list
"""


def test_packages_are_installed_from_the_host_s_mirror(lab: Lab, server: SshRemote) -> None:
    server.shell(REPOSITORY, timeout=60)
    asked = plan({"packages": {"names": ["aetool-probe"]}})
    done_once(lab, asked)
    assert server.get("/usr/share/aetool-probe/file") == b"here\n"
    assert run(lab, asked)[0].finding.facts == {"aetool-probe": "1.2"}


def test_a_package_that_the_mirror_lacks_is_an_error_that_ends_the_work_on_that_host(
    lab: Lab, server: SshRemote
) -> None:
    server.shell(REPOSITORY, timeout=60)
    lines = {"block": {"path": "/root/late", "name": "late", "text": "x"}}
    asked = plan({"packages": {"names": ["aetool-none"]}}, lines, client=(lines,))
    outcomes = run(lab, asked)
    assert [(one.host, one.state) for one in outcomes] == [("server", "failed"), ("client", "done")]
    assert "aetool-none" in (outcomes[0].error or "")


@pytest.fixture
def disk(server: SshRemote, tmp_path: Path) -> Iterator[str]:
    """An empty disk of 64 MiB on the server, backed by a file of this machine."""
    image = tmp_path / "disk"
    with image.open("wb") as handle:
        handle.truncate(64 << 20)
    made = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no loop device: {made.stderr}")
    device = made.stdout.strip()
    server.shell(f"[ -e {device} ] || mknod {device} b 7 {device.removeprefix('/dev/loop')}", timeout=10)
    yield device
    server.shell("umount /mydata 2>/dev/null || true", timeout=30)
    subprocess.run(["losetup", "-d", device], check=True)


def store(device: str, least: float = 0.01) -> dict[str, object]:
    return {"store": {"mount": "/mydata", "device": device, "least_gib": least}}


def test_an_empty_disk_gets_a_file_system_and_is_mounted_now_and_later(
    lab: Lab, server: SshRemote, disk: str
) -> None:
    done_once(lab, plan(store(disk)))
    assert server.run(["findmnt", "-n", "-o", "FSTYPE", "/mydata"], timeout=10).stdout.strip() == "ext4"
    lines = [line for line in server.get("/etc/fstab").decode().splitlines() if "/mydata" in line]
    assert len(lines) == 1
    assert lines[0].startswith("UUID=")
    # after a reboot that forgot it: mounted again, nothing lost, no second line
    server.put(b"kept", "/mydata/mark")
    server.run(["umount", "/mydata"], timeout=30)
    outcome = look(lab.hosts, plan(store(disk)))[0]
    assert "has a file system of ours" in outcome.finding.seen
    assert states(run(lab, plan(store(disk)))) == ["done"]
    assert server.get("/mydata/mark") == b"kept"
    assert server.get("/etc/fstab").decode().count("/mydata") == 1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        ("mkfs.ext4 -q -L data {}", "is not empty: LABEL=data TYPE=ext4"),
        ("mkswap -q {} || mkswap {}", "is not empty: TYPE=swap"),
        ("printf 'label: dos\\n,,83\\n' | sfdisk -q {} || true", "is not empty: PTTYPE=dos"),
    ],
)
def test_a_disk_that_holds_something_is_never_touched(
    lab: Lab, server: SshRemote, disk: str, make: str, said: str
) -> None:
    server.shell(make.replace("{}", disk), timeout=30)
    before = server.run(["sha256sum", disk], timeout=30).stdout
    for outcomes in (look(lab.hosts, plan(store(disk))), run(lab, plan(store(disk)))):
        assert states(outcomes) == ["blocked"]
        assert said in (outcomes[0].finding.blocked or "")
    assert server.run(["sha256sum", disk], timeout=30).stdout == before


def test_a_disk_that_is_too_small_or_no_disk_is_refused(lab: Lab, server: SshRemote, disk: str) -> None:
    (outcome,) = run(lab, plan(store(disk, least=40)))
    assert outcome.finding.blocked == f"{disk} holds 64 MiB, 40 GiB are wanted"
    (outcome,) = run(lab, plan(store("/dev/null")))
    assert outcome.finding.blocked == "/dev/null is not a block device"
    # the machine's own disks have no node on this host: they are not candidates
    (outcome,) = run(lab, plan({"store": {"mount": "/mydata"}}))
    assert outcome.finding.blocked == "this host has no empty disk of 40 GiB or more"
    server.put(b"x", "/mydata/file")
    (outcome,) = run(lab, plan(store(disk)))
    assert outcome.finding.blocked == "/mydata is a directory that holds files"
    server.run(["rm", "-r", "/mydata"], timeout=10)


@pytest.fixture
def web(lab: Lab) -> Iterator[str]:
    """A web server on the client, as the host that downloads come from."""
    client = lab.hosts["client"]
    script = """
mkdir -p /srv/web
cd /srv/web
head -c 300000 /dev/urandom >image.img
python3 -m http.server 8000 --bind 10.10.1.2 >/tmp/web.log 2>&1 </dev/null &
echo $!
for _ in $(seq 100); do
  { exec 3<>/dev/tcp/10.10.1.2/8000; } 2>/dev/null && break
  sleep 0.1
done
"""
    pid = client.shell(script, timeout=30).stdout.strip()
    yield "http://10.10.1.2:8000"
    client.run(["kill", pid], timeout=10)


def download(url: str, **more: object) -> dict[str, object]:
    urls = [f"{url}/gone.img", f"{url}/image.img"]
    return {"download": {"path": "/data/image.img", "urls": urls, "needed_for": "the suite x", **more}}


@pytest.fixture
def clean(server: SshRemote) -> Iterator[None]:
    yield
    server.run(["rm", "-rf", "/data"], timeout=10)


def test_a_file_is_fetched_from_the_first_url_that_has_it_and_held_to_its_sum(
    lab: Lab, server: SshRemote, web: str, clean: None
) -> None:
    data = lab.hosts["client"].get("/srv/web/image.img")
    want = hashlib.sha256(data).hexdigest()
    server.put(data[:100_000], "/data/image.img.part")  # an earlier try got this far
    done_once(lab, plan(download(web, sha256=want)))
    assert server.get("/data/image.img") == data
    assert run(lab, plan(download(web, sha256=want)))[0].finding.facts == {"sha256": want}
    server.put(b"damaged", "/data/image.img")
    assert "another SHA-256" in look(lab.hosts, plan(download(web, sha256=want)))[0].finding.seen
    assert states(run(lab, plan(download(web, sha256=want)))) == ["done"]
    assert server.get("/data/image.img") == data


def test_what_arrived_first_is_what_is_wanted_later_where_no_sum_is_published(
    lab: Lab, server: SshRemote, web: str, clean: None
) -> None:
    assert states(run(lab, plan(download(web)))) == ["done"]
    server.put(b"damaged", "/data/image.img")
    lab.hosts["client"].shell("echo other >/srv/web/image.img", timeout=10)
    (outcome,) = run(lab, plan(download(web)))
    assert outcome.state == "failed"
    assert "its SHA-256 is" in (outcome.error or "")


def test_a_download_that_cannot_be_had_says_what_cannot_run_and_how_to_supply_it(
    lab: Lab, server: SshRemote, web: str, clean: None, tmp_path: Path
) -> None:
    asked = plan({
        "download": {"path": "/data/key", "urls": [f"{web}/no", "http://10.10.1.77/no"],
                     "needed_for": "logging in to guests", "mode": "600"}
    })  # fmt: skip
    (outcome,) = run(lab, asked)
    assert outcome.state == "failed"
    for text in ("404", "10.10.1.77", "without it cannot run: logging in to guests", "--supply key=FILE"):
        assert text in (outcome.error or "")
    (tmp_path / "mine").write_bytes(b"secret")
    assert states(run(lab, asked, key=tmp_path / "mine")) == ["done"]
    assert server.get("/data/key") == b"secret"
    assert server.run(["stat", "-c", "%a", "/data/key"], timeout=10).stdout == "600\n"


def test_what_cannot_be_had_keeps_nothing_else_from_being_done(
    lab: Lab, server: SshRemote, web: str, clean: None
) -> None:
    gone = {"path": "/data/cloud-kern.img", "urls": [f"{web}/gone"], "needed_for": "the suite kernbench"}
    asked = plan(
        {"download": gone},
        {"copies": {"image": "/data/cloud-kern.img", "count": 2}},
        {"unpacked": {"archive": "/data/gone.tar", "into": "/data/gone"}},
        download(web),
    )
    outcomes = run(lab, asked)
    assert states(outcomes) == ["failed", "failed", "failed", "done"]
    assert "without it cannot run: the suite kernbench" in (outcomes[0].error or "")
    assert "/data/cloud-kern.img is not there" in (outcomes[1].error or "")
    assert "/data/gone.tar is not there" in (outcomes[2].error or "")
    # without its disk the host is left as it is
    outcomes = run(lab, plan(store("/dev/null"), download(web), client=(download(web),)))
    assert [(one.host, one.state) for one in outcomes] == [("server", "blocked"), ("client", "done")]


def test_a_tarball_is_unpacked_and_again_when_it_has_changed(
    lab: Lab, server: SshRemote, clean: None
) -> None:
    asked = plan({"unpacked": {"archive": "/data/ycsb.tar.gz", "into": "/data/ycsb"}})
    assert "is not there yet" in look(lab.hosts, asked)[0].finding.seen
    pack = "mkdir -p /data/ycsb-0.17.0; cd /data; echo {} >ycsb-0.17.0/bin; tar czf ycsb.tar.gz ycsb-0.17.0"
    server.shell(pack.replace("{}", "first"), timeout=10)
    done_once(lab, asked)
    assert server.get("/data/ycsb/bin") == b"first\n"
    server.shell(pack.replace("{}", "second, longer"), timeout=10)
    done_once(lab, asked)
    assert server.get("/data/ycsb/bin") == b"second, longer\n"


def test_every_guest_gets_a_copy_of_the_image_with_its_own_address(
    lab: Lab, server: SshRemote, clean: None
) -> None:
    make = """
mkdir -p /data/root/etc/netplan
printf 'addresses:\\n  - 10.10.1.100/24\\ngateway: 10.10.1.1\\n' >/data/root/etc/netplan/50-cloud-init.yaml
chmod 600 /data/root/etc/netplan/50-cloud-init.yaml
mkfs.ext4 -q -d /data/root /data/cloud-redis.img 16M
"""
    server.shell(make, timeout=60)
    asked = plan({"copies": {"image": "/data/cloud-redis.img", "count": 3}})
    done_once(lab, asked)
    for guest in guests(3):
        copy = f"/data/cloud-redis-{guest.number}.img"
        file = "/etc/netplan/50-cloud-init.yaml"
        text = server.run(["debugfs", "-R", f"cat {file}", copy], timeout=10).stdout
        assert text == f"addresses:\n  - {guest.address}/24\ngateway: 10.10.1.1\n"
        shown = server.run(["debugfs", "-R", f"stat {file}", copy], timeout=10).stdout
        assert "Mode:  0600" in shown
        assert server.run(["e2fsck", "-n", "-f", copy], timeout=10).status == 0
    # one is lost, one was started as another guest: only these are made anew
    server.shell("cd /data; rm cloud-redis-2.img; touch -d 2001-01-01 cloud-redis-3.img", timeout=10)
    before = server.run(["stat", "-c", "%Y %i", "/data/cloud-redis-1.img"], timeout=10).stdout
    seen = look(lab.hosts, asked)[0].finding.seen
    assert seen == "/data/cloud-redis-2.img is missing, and 1 more"
    assert states(run(lab, asked)) == ["done"]
    assert server.run(["stat", "-c", "%Y %i", "/data/cloud-redis-1.img"], timeout=10).stdout == before


def test_an_image_without_the_address_is_not_copied(lab: Lab, server: SshRemote, clean: None) -> None:
    server.shell("mkdir -p /data/root; mkfs.ext4 -q -d /data/root /data/other.img 16M", timeout=60)
    (outcome,) = run(lab, plan({"copies": {"image": "/data/other.img", "count": 2}}))
    assert outcome.state == "failed"
    assert "does not hold 10.10.1.100" in (outcome.error or "")
    assert server.run(["ls", "/data"], timeout=10).stdout.split() == ["other.img", "root"]


def test_a_repository_is_cloned_from_another_host(lab: Lab, server: SshRemote, clean: None) -> None:
    client = lab.hosts["client"]
    make = """
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
mkdir -p /srv/git/linux
cd /srv/git/linux
git init -q
echo verified >file
git add .
git commit -q -m x
git daemon --reuseaddr --export-all --base-path=/srv/git --listen=10.10.1.2 >/tmp/git.log 2>&1 </dev/null &
git rev-parse HEAD
sleep 1
"""
    commit = client.shell(make, timeout=30).stdout.strip()
    source = {"kind": "git", "urls": ["git://10.10.1.2/gone", "git://10.10.1.2/linux"], "commit": commit}
    done_once(lab, plan({"repository": {"path": "/data/linux", "source": source}}))
    assert server.get("/data/linux/file") == b"verified\n"
    client.shell("pkill -x git-daemon || pkill -f 'git daemon' || true", timeout=10)


def test_lines_are_put_between_marks_and_replaced_there(lab: Lab, server: SshRemote) -> None:
    server.put(b"Host mine\n  User me", "/root/.ssh/config")

    def asked(text: str) -> Plan:
        return plan({"block": {"path": "/root/.ssh/config", "name": "guests", "text": text, "mode": "600"}})

    done_once(lab, asked("Host 10.10.1.1??\n  User root\n"))
    server.shell("echo '# after' >>/root/.ssh/config", timeout=10)
    done_once(lab, asked("Host 10.10.1.1??\n  User admin\n"))
    assert server.get("/root/.ssh/config").decode() == (
        "Host mine\n  User me\n# begin aetool guests\nHost 10.10.1.1??\n  User admin\n"
        "# end aetool guests\n# after\n"
    )


def test_a_dry_run_changes_nothing_and_the_record_tells_what_was_found(
    lab: Lab, place: Path, server: SshRemote, tmp_path: Path
) -> None:
    file = tmp_path / "plan.yaml"
    lines = {"block": {"path": "/root/dry", "name": "dry", "text": "x"}}
    file.write_text(yaml.safe_dump({"description": "dry", "server": [lines], "client": []}))
    program = "from aetool.cli.main import run; run()"
    words = ["lab", "prepare", str(file), "--name", "shared", "--state", str(place)]

    def aetool(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *words, *more], capture_output=True, text=True, timeout=60
        )

    before = server.run(["ls", "-A", "/root", "/var/lib/aetool"], timeout=10, check=False).stdout
    dry = aetool("--dry-run")
    assert (dry.returncode, dry.stdout.split()[:2]) == (0, ["todo", "server"])
    assert server.run(["ls", "-A", "/root", "/var/lib/aetool"], timeout=10, check=False).stdout == before
    done = json.loads(aetool("--json").stdout)
    assert [(one["host"], one["state"]) for one in done] == [("server", "done")]
    assert json.loads(aetool("--json").stdout)[0]["state"] == "ok"
    record = json.loads(server.get(RECORD))
    assert (record["plan"], record["steps"][0]["state"]) == ("dry", "ok")
    wrong = aetool("--supply", "x")
    assert wrong.returncode == 2


def test_plans_with_mistakes_are_refused_and_those_of_the_project_are_plans(
    project: Path, tmp_path: Path
) -> None:
    for path in (project / "cloudlab" / "prepare").glob("*.yaml"):
        assert load_yaml(path, Plan).server
    with pytest.raises(ConfigError, match="m400"):
        try:
            load_plan("nowhere")
        except ConfigError as error:
            raise ConfigError(error.hint or "") from error
    for text, said in (
        ("- {}", "exactly one step"),
        ("- {block: {path: /a, name: a, text: b}, store: {mount: /a}}", "exactly one step"),
        ("- {store: {mount: mydata}}", "mount"),
        ("- {packages: {names: ['-o=x']}}", "names"),
    ):
        path = tmp_path / "plan.yaml"
        path.write_text(f"description: x\nclient: []\nserver:\n  {text}\n")
        with pytest.raises(ConfigError, match=said):
            load_plan(str(path))
