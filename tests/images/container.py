"""Runs a command in an image's files as a container engine would: its own mounts and process
numbers, the image's user and environment, and where asked for nothing to write to."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

ENTER = """
set -e
root=$1 user=$2 mode=$3
shift 3
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -o "remount,bind,$mode" "$root"
exec chroot --userspec="$user" --groups="${user#*:}" "$root" /usr/bin/env -i "$@"
"""


class Container:
    """A process in an image's files; it is number 1 there.

    Parameters
    ----------
    root
        The image's files.
    configuration
        What the image says about how it is run.
    command
        Instead of the image's own.
    arguments
        After the image's own command.
    writable
        Whether the root file system can be written to.
    environment
        Beside the image's.
    """

    def __init__(
        self,
        root: Path,
        configuration: dict[str, Any],
        *,
        command: list[str] | None = None,
        arguments: tuple[str, ...] = (),
        writable: bool = False,
        environment: dict[str, str] | None = None,
    ) -> None:
        place = configuration.get("WorkingDir") or "/"
        named = [f"{name}={value}" for name, value in (environment or {}).items()]
        self.process = subprocess.Popen(
            [
                *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
                *("sh", "-c", ENTER, "enter"),
                *(str(root), configuration["User"], "rw" if writable else "ro"),
                *(f"--chdir={place}", *configuration["Env"], *named),
                *(command or [*configuration["Entrypoint"], *arguments]),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def pid(self) -> int:
        """The number of its process as it is seen from outside."""
        outer = self.process.pid
        [inner] = Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
        return int(inner)

    def seen(self, name: str) -> str:
        """Read what the kernel says of it: a file of its folder in /proc."""
        return Path(f"/proc/{self.pid}/{name}").read_text()

    def end(self, timeout: float = 60) -> tuple[int, str]:
        """Wait until it ends; return its exit code and what it wrote."""
        output, _ = self.process.communicate(timeout=timeout)
        return self.process.returncode, output
