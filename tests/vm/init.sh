#!/bin/busybox sh
# The first process of the virtual machine, in its initramfs: a root of the host's files, read-only below a disk of its own.
set -e
export PATH=/bin
/bin/busybox --install -s /bin
mkdir -p /proc /sys /host /disk /new
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do insmod "/modules/$module"; done < /modules/order
mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,msize=262144,ro host /host
mount -t ext4 /dev/vda /disk
mkdir /disk/upper /disk/work /disk/tmp
chmod 1777 /disk/tmp
mount -t overlay -o lowerdir=/host,upperdir=/disk/upper,workdir=/disk/work overlay /new
mount -t tmpfs -o mode=755 tmpfs /new/run
mkdir /new/run/disk
mount --bind /disk/tmp /new/run/disk
cp /command /new/run/command
mount --move /proc /new/proc
mount --move /sys /new/sys
mount --move /dev /new/dev
mkdir -p /new/dev/pts /new/dev/shm
mount -t devpts devpts /new/dev/pts
mount -t tmpfs tmpfs /new/dev/shm
mount -t cgroup2 -o nsdelegate cgroup2 /new/sys/fs/cgroup
mount -t securityfs securityfs /new/sys/kernel/security
if [ -e /policy ]; then
    mount -t selinuxfs selinuxfs /new/sys/fs/selinux
    dd if=/policy of=/new/sys/fs/selinux/load bs=1M 2>/dev/null  # one write: the kernel takes no parts
fi
exec switch_root /new /bin/sh /run/command
