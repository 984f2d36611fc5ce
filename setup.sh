#!/bin/sh
# Make the virtual environment, and install what the tests and the demo need of the system.
# As root on Debian or Ubuntu by apt-get; as anybody else it says what to type.
set -eu

venv=${1:-.venv}

new_enough() { command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    new_enough "$candidate" && python=$candidate && break
done
[ -n "$python" ] || {
    echo "setup: ${PYTHON:-python3}: not there, or older than 3.11 (make PYTHON=/path/to/python3 names another)" >&2
    exit 1
}

need=
add() { case " $need " in *" $1 "*) ;; *) need="$need $1" ;; esac; }
for pair in gpg:gnupg gcc:gcc ip:iproute2 strace:strace mkfs.ext4:e2fsprogs mkfs.btrfs:btrfs-progs unshare:util-linux sudo:sudo; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || add "${pair#*:}"
done
[ -e /usr/include/stdio.h ] || add libc6-dev
# What acrun compiles filters of system calls with.
/sbin/ldconfig -p | grep -q 'libseccomp\.so\.2' || add libseccomp2
# Statically linked, so that it is a userland for images by itself.
{ [ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1; } || add busybox-static
"$python" -c 'import ensurepip, venv' 2>/dev/null || add "$(basename "$python")-venv"

if [ -n "$need" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        export DEBIAN_FRONTEND=noninteractive
        echo "setup: apt-get install$need" >&2
        apt-get update -qq
        # shellcheck disable=SC2086
        apt-get install -y -qq --no-install-recommends $need >/dev/null
    else
        echo "setup: these Debian packages are missing; type:  sudo apt-get install --no-install-recommends$need" >&2
        exit 1
    fi
fi

# A directory without a working pip is a broken start, and made anew.
"$venv/bin/python" -c 'import pip' 2>/dev/null || { rm -rf "$venv" && "$python" -m venv "$venv"; }
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[test]'
