"""The whole thread on real parts: build, sign, publish, discover, verify, run. `make demo` starts it.

Everything happens in a temporary directory and in network and mount namespaces of its own: its own /etc/hosts, its own certificate
authority, its own web server on 127.0.0.1. The host is as it was afterwards. The exit code is that of the app.
"""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(sys.executable).parent

HELLO = """#!/bin/sh
echo "Hello from a pod named $(hostname), as $(id -un), with PID $$."
echo "The root holds: $(ls / | xargs)."
grep CapBnd /proc/self/status
exit 0
"""

MANIFEST = {
    "acKind": "ImageManifest",
    "acVersion": "0.8.11",
    "name": "example.com/hello",
    "labels": [{"name": "version", "value": "latest"}, {"name": "os", "value": "linux"}],
    "app": {"exec": ["/bin/hello"], "user": "root", "group": "root"},
    "annotations": [{"name": "homepage", "value": "https://example.com"}],
}

KEY = """%no-protection
Key-Type: eddsa
Key-Curve: ed25519
Key-Usage: sign
Name-Real: Demo
Name-Email: demo@example.com
Expire-Date: 1d
%commit
"""


def say(text: str) -> None:
    print(f"\n\033[1m== {text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def run(command: str, quiet: bool = False) -> None:
    """Show a command and run it in a shell, as a person would; end the demo when it fails."""
    if not quiet:
        print(f"$ {command}", flush=True)
    subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True)


def make_layout(work: pathlib.Path) -> None:
    rootfs = work / "hello" / "rootfs"
    (rootfs / "bin").mkdir(parents=True)
    (rootfs / "etc").mkdir()
    shutil.copy("/bin/busybox", rootfs / "bin" / "busybox")
    for name in ("sh", "ls", "id", "hostname", "grep", "xargs", "echo"):
        (rootfs / "bin" / name).symlink_to("busybox")
    (rootfs / "bin" / "hello").write_text(HELLO)
    (rootfs / "bin" / "hello").chmod(0o755)
    (rootfs / "etc" / "passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    (rootfs / "etc" / "group").write_text("root:x:0:\n")
    (work / "hello" / "manifest").write_text(json.dumps(MANIFEST, indent=4))


def make_certificates(work: pathlib.Path) -> None:
    """Make a certificate authority and a certificate for example.com, as test servers do."""
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(work / "ca.pem"))
    server = authority.issue_cert("example.com")
    server.private_key_pem.write_to_path(str(work / "server.key"))
    for blob in server.cert_chain_pems:
        blob.write_to_path(str(work / "server.pem"), append=True)


def enter_namespaces() -> None:
    """Start this program again inside `unshare`, unless it is there already."""
    if os.environ.get("APPC_DEMO") == "inside":
        return
    if os.geteuid() != 0:
        words = shlex.join(["sudo", sys.executable, *sys.argv])
        sys.exit(f"demo: a machine of its own takes root; type:  {words}")
    os.environ["APPC_DEMO"] = "inside"
    command = ["unshare", "--mount", "--net", "--propagation", "private", sys.executable, *sys.argv]
    os.execvp(command[0], command)


def prepare(work: pathlib.Path) -> subprocess.Popen[bytes]:
    """Set up what a company would have: a name, a certificate, a web server, a signing key."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    (work / "hosts").write_text("127.0.0.1 localhost example.com\n")
    subprocess.run(["mount", "--bind", str(work / "hosts"), "/etc/hosts"], check=True)
    (work / "gnupg").mkdir(mode=0o700)
    (work / "www" / "images" / "example.com").mkdir(parents=True)
    os.environ.update(
        GNUPGHOME=str(work / "gnupg"), APPC_DIR=str(work / "data"), APPC_CONFIG=str(work / "config"),
        SSL_CERT_FILE=str(work / "ca.pem"), PATH=f"{BIN}:{os.environ['PATH']}", HOME=str(work),
    )  # fmt: skip
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    make_certificates(work)
    subprocess.run(["gpg", "--batch", "--quiet", "--gen-key"], input=KEY.encode(), check=True)
    ready = work / "ready"
    os.mkfifo(ready)
    words = [
        sys.executable,
        str(HERE / "server.py"),
        str(work / "www"),
        str(work / "server.pem"),
        str(work / "server.key"),
        str(ready),
    ]
    server = subprocess.Popen(words)
    ready.read_text()
    return server


def tell(work: pathlib.Path) -> int:
    """Go through the story, and return the app's exit code."""
    os.chdir(work)
    make_layout(work)
    image = f"www/images/example.com/hello-latest-linux-{machine()}.aci"
    say("An image is a directory with a manifest and a rootfs, built into one file")
    run("ls -F hello hello/rootfs hello/rootfs/bin")
    run("actool build hello hello.aci")
    run("actool validate hello.aci && actool id hello.aci")
    say("It is signed with gpg, and published on any web server")
    run("gpg --batch --quiet --armor --output hello.aci.asc --detach-sign hello.aci")
    run(f"cp hello.aci {image}; cp hello.aci.asc {image}.asc")
    run("gpg --armor --export demo@example.com > demo.asc")
    say("Without a trusted key, nothing is fetched")
    subprocess.run(["bash", "-c", "echo '$ acfetch example.com/hello'; acfetch example.com/hello"], check=False)
    say("Whoever runs it trusts that key for names below example.com, and nothing else")
    run("acfetch trust add --prefix example.com --yes demo.asc")
    say("From a name to a running app: discovered, downloaded, verified, isolated")
    print("$ acfetch example.com/hello | acrun", flush=True)
    code = subprocess.run(["bash", "-o", "pipefail", "-c", "acfetch example.com/hello | acrun"], check=False).returncode
    say(f"The app ended with exit code {code}, which is the demo's own")
    run("acrun list")
    return code


def machine() -> str:
    from acspec.labels import host_architecture

    return host_architecture()


def clean(work: pathlib.Path, server: subprocess.Popen[bytes] | None) -> None:
    if server is not None:
        server.terminate()
        server.wait()
    subprocess.run(["gpgconf", "--kill", "all"], check=False)
    subprocess.run(["acrun", "gc", "--grace-period", "0"], check=False, stdout=subprocess.DEVNULL)
    subprocess.run(["umount", "/etc/hosts"], check=False, stderr=subprocess.DEVNULL)
    shutil.rmtree(work, ignore_errors=True)  # gpg's agent, which is ending, removes its sockets at the same time
    if work.exists():
        shutil.rmtree(work)


def main() -> int:
    enter_namespaces()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # The socket of gpg's agent lies in it, and the kernel takes no longer names of sockets than 107 bytes.
    work = pathlib.Path(tempfile.mkdtemp(prefix="appc-demo-", dir="/tmp" if len(tempfile.gettempdir()) > 60 else None))
    server = None
    try:
        server = prepare(work)
        return tell(work)
    except KeyboardInterrupt:
        return 130
    except subprocess.CalledProcessError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    finally:
        clean(work, server)


if __name__ == "__main__":
    sys.exit(main())
