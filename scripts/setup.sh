#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what aetool needs on Debian 12: packages, and a virtual environment in .venv.
# Usage: scripts/setup.sh [--test | --full]
#   --test   also what only the tests need
#   --full   also what the emulated Arm lab and its tests need
# Idempotent; changes nothing when everything is there. Called by reproduce.sh and test.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(coq libcoq-stdpp cpp gcc libc6-dev git python3-venv iproute2 util-linux openssh-server openssh-client
  openssl redis-server redis-tools apache2-bin apache2-utils rt-tests media-types)
extra=''
case "${1:-}" in
  '') ;;
  --test | --full)
    packages+=(chromium gcc-aarch64-linux-gnu libc6-dev-arm64-cross make shellcheck flex bison bc cpio kmod
      u-boot-tools qemu-system-arm)
    extra='[test]'
    if [ "$1" = --full ]; then
      packages+=(mmdebstrap u-boot-qemu fdisk e2fsprogs dpkg-dev meson ninja-build pkg-config libglib2.0-dev
        libpixman-1-dev libfdt-dev)
    fi
    ;;
  *)
    echo "setup.sh: unknown argument '$1'; usage: scripts/setup.sh [--test | --full]" >&2
    exit 2
    ;;
esac

say() { printf 'setup: %s\n' "$*" >&2; }

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done

# Packages that bring a server would start it on this machine; the lab runs servers of its own, in its
# own namespaces, so nothing new is started or enabled here.
install_packages() {
  local as_root=("$@") policy=/usr/sbin/policy-rc.d own_policy='' service
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    own_policy=yes
  fi
  local failed=0
  "${as_root[@]}" apt-get update -qq || failed=1
  [ "$failed" = 1 ] || "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || failed=1
  [ -z "$own_policy" ] || "${as_root[@]}" rm -f "$policy"
  if [ "$failed" = 1 ]; then
    say "the packages could not be installed; by hand: apt-get install ${missing[*]}"
    exit 8
  fi
  if [ -d /run/systemd/system ]; then
    for service in redis-server ssh; do
      case " ${missing[*]} " in
        *" $service "* | *" openssh-server "*) "${as_root[@]}" systemctl disable -q "$service" || true ;;
      esac
    done
  fi
}

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ]; then
    say "installing ${missing[*]}"
    install_packages env
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    say "installing (through sudo) ${missing[*]}"
    install_packages sudo
  else
    say "these Debian packages are missing and need root; run this line, then the same command again:"
    say "  sudo apt-get install --no-install-recommends ${missing[*]}"
    exit 8
  fi
fi

python=${AETOOL_PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  say "$python is not Python 3.11 or newer; set AETOOL_PYTHON to one that is"
  exit 8
fi
wanted=$({ cat pyproject.toml; "$python" -V; echo "$extra"; pwd; } | sha256sum | cut -d ' ' -f 1)
stamp=.venv/.aetool-setup
# A set-up for the tests serves the main job as well.
if ! grep -qx "$wanted" "$stamp" 2>/dev/null; then
  say "creating the virtual environment .venv and installing the Python packages$extra"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  if ! .venv/bin/python -m pip install -q --disable-pip-version-check -e ".$extra" 2>.venv/pip.log; then
    cat .venv/pip.log >&2
    say "the Python packages could not be installed"
    exit 8
  fi
  if [ -n "$extra" ]; then
    { cat pyproject.toml; "$python" -V; echo ''; pwd; } | sha256sum | cut -d ' ' -f 1 >"$stamp"
  else
    : >"$stamp"
  fi
  echo "$wanted" >>"$stamp"
fi
