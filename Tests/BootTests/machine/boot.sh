#!/usr/bin/env bash
# Boots systemd as PID 1 over a copy-on-write view of this machine's root, runs the checks in it, and leaves nothing behind:
#
#   unshare --mount --propagation private Tests/BootTests/machine/boot.sh CHECKOUT PROGRAMS FINDINGS
#
# CHECKOUT and PROGRAMS (a build folder in it) are seen in there under their own paths; FINDINGS is a folder, written to.
set -euo pipefail
checkout=$1 programs=$2 findings=$3
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

# A control group of its own, so that boots at the same time do not meet, and nothing is left of it.
trees=(/sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified)
group=octavo-boot-$$
leave() {
    for tree in "${trees[@]}"; do
        [ -d "$tree/$group" ] || continue
        echo $$ > "$tree/cgroup.procs"
        # Nothing, unless the container was cut off.
        find "$tree/$group" -name cgroup.procs -exec cat {} + | xargs --no-run-if-empty kill -KILL 2> /dev/null || true
        find "$tree/$group" -depth -type d -exec rmdir {} + || true
    done
}
trap leave EXIT
for tree in "${trees[@]}"; do
    [ -e "$tree/cgroup.procs" ] || continue
    mkdir "$tree/$group"
    echo $$ > "$tree/$group/cgroup.procs"
done

# Everything that is mounted here is seen by this script and its children alone, and is gone with them.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/upper /run/work /run/root
root=/run/root
mount -t overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work overlay $root

# A machine of its own, on which Octavo never was.
systemd-id128 new > $root/etc/machine-id
echo octavo-boot > $root/etc/hostname
rm -rf $root/usr/lib/octavo $root/etc/octavo $root/var/lib/octavo* $root/var/log/journal
rm -rf $root/etc/postgresql/* $root/var/lib/postgresql/15 $root/etc/systemd/system/*octavo*
# Swift's runtime, where a debug build finds it in a home folder: services may not look there.
for library in $(ldd "$programs"/octavo* 2> /dev/null | awk '$3 ~ "^/(root|home)/" { print $3 }' | sort -u); do
    cp "$library" $root/usr/local/lib/
done
chroot $root ldconfig

# Boots no further than the checks need, and ends with them.
cat > $root/etc/systemd/system/boot.target << 'UNIT'
[Unit]
Requires=basic.target checks.service
After=basic.target
AllowIsolate=yes
UNIT
cat > $root/etc/systemd/system/checks.service << UNIT
[Unit]
After=basic.target dbus.service
Wants=dbus.service
SuccessAction=exit-force
FailureAction=exit-force

[Service]
Type=oneshot
Environment=CHECKOUT=$checkout PROGRAMS=$programs PYTHONDONTWRITEBYTECODE=1
ExecStart=/usr/bin/python3 $checkout/Tests/BootTests/machine/checks.py
StandardOutput=append:/findings/output
StandardError=append:/findings/output
TimeoutStartSec=880
UNIT

# With a cgroup tree of version 2 and bpf(2), systemd can filter addresses where the kernel can.
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
systemd-nspawn --quiet --register=no --keep-unit --private-network --directory=$root \
    --capability=CAP_BPF,CAP_NET_ADMIN,CAP_PERFMON --system-call-filter=bpf \
    --bind-ro="$checkout" --bind="$findings:/findings" \
    --kill-signal=SIGKILL --boot systemd.unit=boot.target systemd.show_status=no
