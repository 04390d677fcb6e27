"""Builds the images by buildah, in a storage of its own, on a base image made by debootstrap."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

BASE = "localhost/base:bookworm"

RUST = "localhost/rust:bookworm"

WHEEL = os.environ.get("WHEEL", "dist")
"""As .ci/build-images has it: ``dist`` takes the wheel that lies there, ``build`` compiles one."""

COMPILER = (
    "apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ make"
    " && rm -rf /var/lib/apt/lists/*"
)

SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

NEEDED = ("buildah", "debootstrap", "unshare", "chroot")

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
"""What this machine trusts is trusted while building, so that a proxy's certificate is too."""

LEFT_OUT = (
    *("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man", "var/log"),
    *("var/cache/apt", "var/lib/apt/lists", "dev"),
)
"""What is in these folders of a fresh Debian; debian:bookworm-slim has little of it either."""


def missing() -> str | None:
    """Say why no image can be built here; None where one can."""
    lacking = [name for name in NEEDED if shutil.which(name) is None]
    if lacking or os.geteuid() != 0:
        return "images are built by root with buildah and debootstrap"
    return None


def mirror() -> str:
    """Where this machine gets Debian from."""
    folder = Path("/etc/apt")
    for path in (folder / "sources.list", *(folder / "sources.list.d").glob("*.sources")):
        if path.is_file():
            found = re.search(r"^(?:deb|URIs:)\s+(http\S+/debian/?)\s*$", path.read_text(), re.M)
            if found:
                return found[1]
    return "http://deb.debian.org/debian"


class Builder:
    """Images of one storage; closing it leaves nothing behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        configuration = folder / "storage.conf"
        configuration.write_text(
            "[storage]\n"
            'driver = "vfs"\n'
            f'graphroot = "{folder / "storage"}"\n'
            f'runroot = "{folder / "run"}"\n'
        )
        (folder / "tmp").mkdir()
        self._environment = os.environ | {
            "CONTAINERS_STORAGE_CONF": str(configuration),
            "STORAGE_DRIVER": "vfs",
            "BUILDAH_ISOLATION": "chroot",
            # Caches of RUN lie there.
            "TMPDIR": str(folder / "tmp"),
        }

    def close(self) -> None:
        """Remove everything."""
        self("buildah", "rm", "--all")
        shutil.rmtree(self.folder)

    def __call__(self, *command: str | Path, **environment: str) -> str:
        """Run a command in this storage and return what it writes."""
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self._environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-6000:]}"
        return done.stdout.strip()

    def bootstrap(self) -> None:
        """Make the base image."""
        name = self("buildah", "from", "scratch")
        root = Path(self("buildah", "mount", name))
        self("debootstrap", "--variant=minbase", "bookworm", root, mirror())
        self("find", *(root / part for part in LEFT_OUT), "-mindepth", "1", "-delete")
        self("buildah", "umount", name)
        self("buildah", "commit", "--rm", name, BASE)

    def bootstrap_rust(self) -> None:
        """Make the image with Rust: the base, a C++ compiler and this machine's toolchain."""
        name = self("buildah", "from", "--pull-never", BASE)
        self("buildah", "run", name, "--", "sh", "-c", COMPILER)
        toolchain = Path(self("rustc", "--print", "sysroot"))
        for part in ("bin", "lib"):
            self("buildah", "copy", name, toolchain / part, f"/usr/local/rust/{part}")
        self("buildah", "config", "--env", f"PATH=/usr/local/rust/bin:{SEARCH}", name)
        self("buildah", "commit", "--rm", name, RUST)

    def build(self, target: str) -> None:
        """Build a target."""
        environment = {"BUILDER": "buildah", "BASE_IMAGE": BASE, "RUST_IMAGE": RUST, "WHEEL": WHEEL}
        if CERTIFICATES.is_file():
            environment["CERTIFICATES"] = str(CERTIFICATES)
        self(ROOT / ".ci/build-images", target, **environment)

    def configuration(self, target: str) -> dict[str, Any]:
        """Return what the image says about how it is run."""
        said = self("buildah", "inspect", "--type", "image", f"arxiv-core:{target}")
        found: dict[str, Any] = json.loads(said)["Docker"]["config"]
        return found

    def unpack(self, target: str) -> Path:
        """Return the root of a fresh container's files."""
        name = self("buildah", "from", "--pull-never", f"arxiv-core:{target}")
        return Path(self("buildah", "mount", name))

    def layers(self, target: str, compression: str) -> list[int]:
        """Return every layer's size in bytes as a registry would keep it, the base first."""
        place = self.folder / f"{target}-{compression}"
        options = ["--compression-format", compression]
        self("buildah", "push", *options, f"arxiv-core:{target}", f"oci:{place}:latest")
        index = json.loads((place / "index.json").read_bytes())
        digest = index["manifests"][0]["digest"].removeprefix("sha256:")
        manifest = json.loads((place / "blobs/sha256" / digest).read_bytes())
        shutil.rmtree(place)
        return [layer["size"] for layer in manifest["layers"]]
