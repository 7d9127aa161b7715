"""A machine of its own for sshd: the same system, but with an /etc, /srv, /var/lib and /run that nobody else sees.

sshd lets in only whom the system knows, so a partner needs an account. Accounts made on the real system would stay
there when a test is killed, so they are made in a mount namespace whose /etc is a copy in memory. The commands that
`gateway partner add` prints run there, on the very paths that the documentation names, and all is gone with the last
process. The holder ends when our end of its pipe closes, however we die.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import app

ROOT = Path(__file__).parents[2]
CONFIG = "/etc/chorus-gateway"
STATE = "/var/lib/chorus-gateway"
GATEWAY = "chorus"
_CLONE_NEWNS = 0x00020000
_SET_UP = """
set -e
mount -t tmpfs -o mode=755 tmpfs "$1"
cp -a /etc/. "$1"
mount --bind "$1" /etc
for folder in /srv /var/lib /var/log /run; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mkdir /run/sshd
useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin chorus
install -d -o chorus -g chorus -m 0750 /var/lib/chorus-gateway /srv/state
ssh-keygen -q -A
grep -q '^Include /etc/ssh/sshd_config.d' /etc/ssh/sshd_config ||
  sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' /etc/ssh/sshd_config
mkdir -p /etc/ssh/sshd_config.d
echo ready
exec cat
"""
_T = TypeVar("_T")


class Machine:
    """The namespace, held open by one process."""

    def __init__(self, folder: Path) -> None:
        (folder / "etc").mkdir()
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "bash", "-c", _SET_UP, "bash", str(folder / "etc")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "set-up").open("wb"),
            text=True,
        )
        assert self._holder.stdout is not None
        said = self._holder.stdout.readline()
        assert said == "ready\n", (folder / "set-up").read_text()
        shutil.copytree(ROOT / "config" / "quickstart", self.path(CONFIG))
        main = self.path(CONFIG) / "gateway.toml"
        main.write_text(main.read_text().replace('state_dir = "state"', f'state_dir = "{STATE}"'))

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._holder.stdin is not None
        self._holder.stdin.close()
        self._holder.wait(timeout=30)

    @property
    def namespace(self) -> str:
        return f"/proc/{self._holder.pid}/ns/mnt"

    def path(self, path: str | Path) -> Path:
        """One of its paths, as seen from outside."""
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def start(self, *command: str, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["nsenter", f"--mount={self.namespace}", "--", *command], **options)

    def run(self, *command: str) -> str:
        """Run a command there, as root; what it printed. It must succeed."""
        inside = ["nsenter", f"--mount={self.namespace}", "--wd=/", "--", *command]
        done = subprocess.run(inside, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def gateway(self, *arguments: str, user: str = "root") -> Result:
        """One `gateway` command there, on its configuration; what it printed and its exit code."""
        code, out, err = self.inside(_typed, arguments, user=user)
        return Result(CliRunner(), out.encode(), err.encode(), out.encode(), None, code, None)

    def inside(self, do: Callable[..., _T], *arguments: Any, user: str = "root") -> _T:
        """Call a function there, in a process of its own, with the rights of `user` and its groups."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _child(writing, self.namespace, user, do, arguments)
        os.close(writing)
        with os.fdopen(reading, "rb") as answer:
            content = answer.read()
        os.waitpid(child, 0)
        worked, told = pickle.loads(content)
        assert worked, told
        return told  # type: ignore[no-any-return]


def _child(writing: int, namespace: str, user: str, do: Callable[..., Any], arguments: Sequence[Any]) -> None:
    try:
        held = os.open(namespace, os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(held, _CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        if user != "root":
            import pwd

            entry = pwd.getpwnam(user)
            os.initgroups(user, entry.pw_gid)
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
        told: tuple[bool, Any] = (True, do(*arguments))
    except BaseException:
        told = (False, traceback.format_exc())
    with os.fdopen(writing, "wb") as answer:
        answer.write(pickle.dumps(told))
    sys.stdout.flush()
    os._exit(0)


def _typed(arguments: Sequence[str]) -> tuple[int, str, str]:
    ran = CliRunner().invoke(app, list(arguments), env={"GATEWAY_CONFIG": CONFIG})
    if ran.exception and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.exit_code, ran.stdout, ran.stderr


class Sshd:
    """The real sshd, on a free port of the loopback interface, with the sshd_config of the machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        options = [f"Port={self.port}", "ListenAddress=127.0.0.1", "PidFile=none", "MaxStartups=100"]
        command = ["/usr/sbin/sshd", "-D", "-e", *(word for option in options for word in ("-o", option))]
        self._log = machine.path("/var/log/sshd").open("wb")
        self._process = machine.start(*command, stderr=self._log, stdin=subprocess.DEVNULL)
        self._wait()

    def __enter__(self) -> Sshd:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        self._log.close()

    @property
    def log(self) -> str:
        return self.machine.path("/var/log/sshd").read_text(errors="replace")

    def reload(self) -> None:
        """As `systemctl reload ssh` does; the same process begins anew."""
        heard = self.log.count("Server listening")
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while self.log.count("Server listening") == heard and time.monotonic() < deadline:
            time.sleep(0.02)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"sshd does not answer\n{self.log}")
