import os
import subprocess
import sys

from libs.astro.version import model_version


def test_the_model_version_names_sources_and_machine_in_16_hexadecimal_digits():
    assert len(model_version()) == 16
    assert int(model_version(), 16) >= 0


def test_kernels_are_cached_under_the_model_version_and_two_processes_agree_on_it():
    """INVARIANT: numba misses an edit of a kernel called from another file, so an unkeyed cache runs old physics."""
    script = "import libs.astro, os; from libs.astro.version import model_version; "
    script += "print(os.environ['NUMBA_CACHE_DIR'], model_version())"
    env = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, env=env)
    folder, other = done.stdout.split()
    assert other == model_version()
    assert folder.endswith(model_version())
