"""Running apps as attackers: against who enters them, against the pod's first process, and against what the caller holds."""

from __future__ import annotations

from pathlib import Path

from tests.support.poddirs import AppSpec, enter, read_line, start, write_pod

# An app whose calls nobody filters makes a user namespace, is root there, and mounts what it likes for itself. It puts something
# else in the place of all that a start could ask /proc for; with `#!/real/self/exe`, the host's interpreter would run the script.
_FORGE = """
/bin/busybox mkdir /real && /bin/busybox mount --rbind /proc /real && /bin/busybox mount -t tmpfs tmpfs /proc &&
/bin/busybox mkdir -p /proc/self/fd /proc/sys /proc/1/root && cd /proc/self/fd &&
printf '#!/bin/sh\\necho taken\\n' > script && /bin/busybox chmod 755 script && : > /proc/self/status &&
for n in $(/bin/busybox seq 3 255); do ln script $n; done; cd /; echo forged; exec sleep 60
"""


def test_who_enters_an_app_that_forged_its_proc_runs_what_was_asked_for(tmp_path: Path, rootfs: Path) -> None:
    app = AppSpec(["/bin/busybox", "unshare", "-U", "-r", "-m", "/bin/sh", "-c", _FORGE])
    pod = write_pod(tmp_path, rootfs, {"app": app})
    with start(pod) as monitor:
        assert read_line(monitor) == "forged\n"
        entered = enter(pod, "app", "/bin/echo", "asked", "for")
        monitor.terminate()
    assert (entered.stdout, entered.stderr, entered.code) == ("asked for\n", "", 0)
