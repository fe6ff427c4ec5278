"""The wheel alone serves a complete site: templates, static files, migrations and texts inside."""

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from tests.browser.conftest import free_port

HOUSE = Path(__file__).resolve().parents[2]
PAGES = ("/", "/catalogue", "/sign-up", "/static/mickle/mickle.css", "/b/count?id=1")


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    build = [*(sys.executable, "-m", "build", "--wheel", "--no-isolation"), "-o", tmp_path, HOUSE]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    return tmp_path / "site"


@pytest.mark.slow
def test_the_wheel_serves_a_complete_site(unpacked: Path, tmp_path: Path):
    port = free_port()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MICKLE_", "DATABASE_"))}
    code = "import mickle, sys; from mickle.ops.main import main; sys.exit(main())"
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code, "run", "--data", tmp_path / "data", "--port", str(port)],
            cwd=tmp_path,
            env=env | {"PYTHONPATH": str(unpacked)},
            stdout=log,
            stderr=log,
        )
    try:
        for page in PAGES:
            assert _get(f"http://127.0.0.1:{port}{page}", process, tmp_path / "log")
        assert str(unpacked) not in (tmp_path / "log").read_text()
    finally:
        process.terminate()
        process.wait(timeout=20)


def _get(url: str, process: subprocess.Popen[bytes], log: Path) -> bytes:
    for _attempt in range(300):
        if process.poll() is not None:
            break
        try:
            with urlopen(url, timeout=5) as answer:
                return answer.read()
        except HTTPError:
            raise
        except URLError:
            # It does not listen yet.
            time.sleep(0.1)
    raise AssertionError(log.read_text())
