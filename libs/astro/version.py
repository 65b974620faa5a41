"""The model version, and numba's cache kept by it: numba misses edits in a called kernel of another file."""

import functools
import hashlib
import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

_HERE = Path(__file__).parent


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{platform.machine()} {model or platform.processor()}"


@functools.cache
def model_version() -> str:
    """Returns 16 hexadecimal digits: sources and data of this library, numba and numpy versions, kind of CPU."""
    digest = hashlib.sha256()
    for path in sorted([*_HERE.glob("*.py"), *(_HERE / "data").glob("*.json")]):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)} ".encode() + content)
    digest.update(f"{version('numba')} {version('numpy')} {_cpu()}".encode())
    return digest.hexdigest()[:16]


def keep_cache_by_version() -> None:
    """Must run before numba is imported; does nothing where NUMBA_CACHE_DIR is set already."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "spacecom" / "kernels" / model_version()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:  # no home to write in: compile anew, since a shared folder could hold another user's code
        folder = Path(tempfile.mkdtemp(prefix="spacecom-kernels-"))
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
