#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts one guest on the server. Read by bash from its standard input: nothing is installed.
# Usage: bash -s -- DIRECTORY NAME ADDRESS MAC TAP MEMORY_MIB VCPUS QEMU GIC KERNEL INITRD IMAGE AUTHORIZED_KEY
# Leaves in DIRECTORY: pid, qmp (socket), console, log, host_key.pub, and what else belongs to the guest.
set -euo pipefail
dir=$1 name=$2 address=$3 mac=$4 tap=$5 memory=$6 vcpus=$7 qemu=$8 gic=$9
shift 9
kernel=$1 initrd=$2 image=$3 authorized=$4

rm -rf -- "$dir"
mkdir -p -- "$dir/seed/etc/ssh"
cd -- "$dir"
ssh-keygen -q -t ed25519 -N '' -C "$name" -f seed/etc/ssh/aetool_host_key
mv seed/etc/ssh/aetool_host_key.pub host_key.pub
printf '%s\n' "$name" >seed/etc/hostname
printf '%s\n' "$authorized" >seed/etc/ssh/aetool_authorized_keys
tar -C seed --owner=0 --group=0 -cf seed.tar etc
rm -rf seed
printf '%s\n' "$address" >address

ip link show dev "$tap" >/dev/null 2>&1 || ip tuntap add dev "$tap" mode tap
ip link set "$tap" master br0 up
vhost=off
[ -c /dev/vhost-net ] && vhost=on

setsid "$qemu" -name "$name" -pidfile pid \
  -enable-kvm -cpu host -machine "virt,gic-version=$gic" -smp "$vcpus" -m "$memory" \
  -nodefaults -no-user-config -display none -no-reboot \
  -kernel "$kernel" -initrd "$initrd" \
  -append "console=ttyAMA0 root=/dev/vda ro quiet panic=-1 aetool.overlay aetool.address=$address/24" \
  -chardev file,id=console,path=console -serial chardev:console -qmp unix:qmp,server=on,wait=off \
  -drive "file=$image,if=none,id=disk,format=raw,readonly=on" -device virtio-blk-pci,drive=disk \
  -drive file=seed.tar,if=none,id=seed,format=raw,readonly=on -device virtio-blk-pci,drive=seed \
  -netdev "tap,id=net,ifname=$tap,script=no,downscript=no,vhost=$vhost" \
  -device "virtio-net-pci,netdev=net,mac=$mac,romfile=" -device virtio-rng-pci \
  >log 2>&1 </dev/null &
qemu_pid=$!
# it either gets as far as its monitor, or says why not
for _ in $(seq 600); do
  [ -S qmp ] && [ -s pid ] && break
  kill -0 "$qemu_pid" 2>/dev/null || { cat log >&2; exit 1; }
  sleep 0.05
done
sleep 0.2
kill -0 "$qemu_pid" 2>/dev/null || { cat log >&2; exit 1; }
