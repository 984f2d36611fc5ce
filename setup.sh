#!/bin/sh
# Make the virtual environment, and install what the tests and the demo need of the system.
# As root on Debian or Ubuntu by apt-get; as anybody else it says what to type.
set -eu

venv=${1:-.venv}
python=${PYTHON:-python3}

need=
add() { case " $need " in *" $1 "*) ;; *) need="$need $1" ;; esac; }
for pair in gpg:gnupg gcc:gcc ip:iproute2 strace:strace unshare:util-linux sudo:sudo make:make git:git; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || add "${pair#*:}"
done
[ -e /usr/include/stdio.h ] || add libc6-dev
# Statically linked, so that it is a userland for images by itself.
{ [ -x /bin/busybox ] && ! grep -q ld-linux /bin/busybox; } || add busybox-static
"$python" -c 'import ensurepip, venv' 2>/dev/null || add python3-venv

if [ -n "$need" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        # shellcheck disable=SC2086
        apt-get install -y -qq --no-install-recommends $need >/dev/null
    else
        echo "setup: these Debian packages are missing; type:  sudo apt-get install --no-install-recommends$need" >&2
        exit 1
    fi
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "setup: $python is older than 3.11 (PYTHON=/path/to/python3 make … names another)" >&2
    exit 1
}

[ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import pip' 2>/dev/null || { rm -rf "$venv" && "$python" -m venv "$venv"; }
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[test]'
