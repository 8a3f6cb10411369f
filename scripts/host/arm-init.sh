#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# First process of the emulated Arm server, and of its guests: network, sshd, and an orderly end. Installed as /sbin/init.
# systemd would cost 20 s of each boot under emulation and offers nothing that the lab needs.
#
# SIGTERM (from /sbin/reboot) and SIGUSR2 (from /sbin/poweroff) end what runs, put the disk in order, and
# reset the machine or switch it off.
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=0666,mode=620 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p /run/sshd /run/lock
mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
for link in fd:/proc/self/fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do ln -sfn "${link#*:}" "/dev/${link%%:*}"; done
mount -o remount,rw /

finish() {
  trap '' TERM USR2
  echo "init: ending for $1" >/dev/console
  # kill -1 spares this shell and nobody else
  kill -TERM -1
  sleep 0.3
  kill -KILL -1
  sync
  umount -a -r -t ext4,vfat 2>/dev/null
  mount -o remount,ro / 2>/dev/null
  busybox "$1" -f
}
trap 'finish reboot' TERM
trap 'finish poweroff' USR2

# the second disk is a tar file with what this machine alone has: name and keys
[ -b /dev/vdb ] && tar -x -f /dev/vdb -C / --no-same-owner 2>/dev/null
hostname "$(cat /etc/hostname)"
for module in virtio_net virtio_rng tun bridge vhost_net; do modprobe "$module" 2>/dev/null; done
ip link set lo up
for _ in $(seq 100); do
  [ -e /sys/class/net/eth0 ] && break
  sleep 0.05
done
address=10.10.1.1/24
read -r line </proc/cmdline
for word in $line; do
  case $word in aetool.address=*) address=${word#aetool.address=} ;; esac
done
ip addr add "$address" dev eth0
ip link set eth0 up

while :; do
  /usr/sbin/sshd -D -e -f /etc/ssh/aetool_sshd_config </dev/null >/dev/console 2>&1 &
  # a signal ends `wait` and runs its trap; orphans are reaped by the shell in passing
  wait $!
  sleep 0.2
done
