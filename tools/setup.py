"""Bring what the other commands need: environment, core, console, wheel.

Runs on the system's Python with the standard library alone. Each step is skipped while its
inputs are unchanged; a missing tool is one line that says what to install.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = VENV / "stamps"
PYTHON = VENV / "bin" / "python"
WEB = ROOT / "console" / "web"
LOCK = ROOT / "requirements-dev.lock"

TOOLS = {
    "cargo": "Rust 1.89 or later: https://rustup.rs",
    "cc": "a C compiler: on Debian `apt-get install build-essential`",
    "node": "Node.js 20 or later: on Debian `apt-get install nodejs npm`",
    "npm": "npm 10 or later: comes with Node.js",
}


def main() -> int:
    """Run the named step; 0, or 1 after one line on what is missing."""
    steps = {"environment": environment, "build": build, "wheel": wheel, "lock": lock}
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name not in steps:
        print(f"usage: setup.py {{{','.join(steps)}}}", file=sys.stderr)
        return 2
    try:
        steps[name]()
    except SetupError as error:
        print(f"paidui: {error}", file=sys.stderr)
        return 1
    return 0


class SetupError(Exception):
    """Something is missing or failed; the text says what to do."""


def environment() -> None:
    """Make .venv and install exactly what the lock file names, hashes checked."""
    if sys.version_info < (3, 11):
        raise SetupError(f"Python 3.11 or later is needed, this is {sys.version.split()[0]}")
    for tool, hint in TOOLS.items():
        if shutil.which(tool) is None:
            raise SetupError(f"`{tool}` is missing; install {hint}")
    if not os.access(ROOT, os.W_OK):
        raise SetupError(f"{ROOT} is not writable; clone into a folder of your own")
    if not PYTHON.exists():
        say("making the virtual environment")
        run(
            [sys.executable, "-m", "venv", str(VENV)],
            "python3 -m venv (on Debian: `apt-get install python3-venv`)",
        )
    STAMPS.mkdir(parents=True, exist_ok=True)

    def install() -> None:
        say("installing the locked Python packages")
        run(
            [
                str(PYTHON),
                "-m",
                "pip",
                "install",
                "-q",
                "--disable-pip-version-check",
                "--require-hashes",
                "-r",
                str(LOCK),
            ],
            "pip install; is the package index reachable?",
        )

    once("environment", [LOCK], install)


def build() -> None:
    """Build the core (release) into the environment and the console into console/static."""
    environment()
    once("package", [ROOT / "pyproject.toml"], install_package)
    once("core", [*files("crates", (".rs", ".toml")), ROOT / "Cargo.lock", ROOT / "Cargo.toml"], build_core)
    sources = files("console/web", (".ts", ".vue", ".css", ".html", ".json", ".js", ".svg"))
    once("console", sources, build_console)


def install_package() -> None:
    """Install in place, the core compiled: the `paidui` command and the channels' entry points."""
    say("building the routing core (release)")
    command = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    run([*command, "--no-deps", "--no-build-isolation", "-e", "."], "pip install -e .; see the message above")


def build_core() -> None:
    """Compile engine._router again; a moment when it has just been installed."""
    maturin = [str(VENV / "bin" / "maturin"), "develop", "-q", "--release", "--locked", "--skip-install"]
    run(maturin, "maturin; see the compiler's message above")


def build_console() -> None:
    """Install the locked npm packages and run Vite."""
    say("building the console")
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    run(["npm", "ci", *quiet], "npm ci; is the npm registry reachable?", cwd=WEB)
    run(["npm", "run", "--silent", "build"], "vite; see the message above", cwd=WEB)


def wheel() -> None:
    """Build dist/paidui-*.whl: one abi3 wheel, the console inside."""
    build()
    pack(ROOT / "dist")
    for path in sorted((ROOT / "dist").glob("*.whl")):
        say(f"built {path.relative_to(ROOT)}")


def pack(folder: Path) -> None:
    """Put what `build` has made into a wheel in `folder`."""
    maturin = [str(VENV / "bin" / "maturin"), "build", "-q", "--release", "--locked", "--out", str(folder)]
    run(maturin, "maturin; see the message above")


def lock() -> None:
    """Resolve both lock files anew for every supported Python; hashes only, no addresses."""
    run([str(PYTHON), "-m", "pip", "install", "-q", "uv"], "pip install uv")
    common = [
        "pip",
        "compile",
        "--universal",
        "--all-extras",
        "--generate-hashes",
        "--no-header",
        "--python-version",
        "3.11",
    ]
    uv = str(VENV / "bin" / "uv")
    for target, extra in (("requirements.lock", []), ("requirements-dev.lock", ["--group", "dev"])):
        run([uv, *common, "-q", *extra, "pyproject.toml", "-o", target], "uv pip compile")


def files(folder: str, endings: tuple[str, ...]) -> list[Path]:
    """Every source file below `folder` with one of the endings, build products left out."""
    found = (path for path in (ROOT / folder).rglob("*") if path.suffix in endings)
    return [path for path in found if not {"node_modules", "target"} & set(path.parts)]


def once(name: str, inputs: Iterable[Path], step: object) -> None:
    """Run `step` unless it ran to its end with these very inputs."""
    digest = hashlib.sha256()
    for path in sorted(inputs):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    stamp = STAMPS / name
    if stamp.exists() and stamp.read_text() == digest.hexdigest() and product_exists(name):
        return
    assert callable(step)
    step()
    stamp.write_text(digest.hexdigest())


def product_exists(name: str) -> bool:
    """Whether what the step makes is still there."""
    if name == "core":
        return any((ROOT / "engine").glob("_router*.so"))
    if name == "console":
        return (ROOT / "console" / "static" / "index.html").exists()
    return name != "package" or (VENV / "bin" / "paidui").exists()


def run(command: list[str], what: str, cwd: Path = ROOT) -> None:
    """Run one command; a failure becomes one clear line."""
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    environ = dict(os.environ, VIRTUAL_ENV=str(VENV), PATH=path)
    if subprocess.run(command, cwd=cwd, env=environ, check=False).returncode != 0:
        raise SetupError(f"failed: {what}")


def say(text: str) -> None:
    """Tell what is being done, at once."""
    print(f"paidui: {text}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
