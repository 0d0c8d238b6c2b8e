"""A real MediaWiki on loopback, of Debian's packages: a private MariaDB and PHP's own web server, in one temporary folder.

Neither the machine's MariaDB nor its MediaWiki is touched. Starting takes about 5 s, filling about 10 ms a page.
"""

from __future__ import annotations

import getpass
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PACKAGES = "mediawiki mariadb-server php-cli php-mysql php-xml php-mbstring php-intl"
NEEDED = (
    "/usr/share/mediawiki/api.php",
    "/usr/share/mediawiki/extensions/TextExtracts/extension.json",
    "/usr/sbin/mariadbd",
    "/usr/bin/mariadb-install-db",
    "/usr/bin/mariadb-admin",
    "/usr/bin/php",
)
INSTALLED = Path("/usr/share/mediawiki")
HERE = Path(__file__).parent
START_LIMIT_S = 60.0
PHP_WORKERS = 4
DATABASE_OPTIONS = (
    "--skip-networking",
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    # titles such as "It" and "U2" can be searched for
    "--ft-min-word-len=1",
    "--ft-stopword-file=",
    "--innodb-ft-min-token-size=1",
    "--innodb-ft-enable-stopword=OFF",
)


@dataclass(frozen=True)
class WikiPage:
    """A page to be made. `text` is wikitext."""

    title: str
    text: str


def redirect(title: str, to: str) -> WikiPage:
    """A redirect; `to` may name a section, "Page#Section"."""
    return WikiPage(title, f"#REDIRECT [[{to}]]")


def disambiguation(title: str, text: str) -> WikiPage:
    """A page that says what a title may mean."""
    return WikiPage(title, f"{text}\n__DISAMBIG__")


@contextmanager
def mediawiki(pages: Iterable[WikiPage]) -> Iterator[str]:
    """Run a wiki that holds `pages`, and give the address of its `api.php`.

    Raises `RuntimeError` if a Debian package is missing or a program fails, with what it said.
    """
    missing = [path for path in NEEDED if not Path(path).exists()]
    if missing:
        raise RuntimeError(f"{', '.join(missing)} is missing; install it with: apt-get install {PACKAGES}")
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="wiki-"))  # sockets must have short names
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(_database(folder))
        port = _free_port()
        environment = {
            **os.environ,
            "MW_INSTALL_PATH": str(INSTALLED),
            "MW_CONFIG_FILE": str(folder / "LocalSettings.php"),
            "WIKI_CACHE_DIRECTORY": str(folder),
            "PHP_CLI_SERVER_WORKERS": str(PHP_WORKERS),
        }
        _install(folder, port, environment)
        _fill(pages, environment)
        stack.enter_context(_web_server(folder, port, environment))
        yield f"http://127.0.0.1:{port}/api.php"


@contextmanager
def _database(folder: Path) -> Iterator[None]:
    data, socket_file = folder / "data", folder / "socket"
    data.mkdir()
    user = getpass.getuser()
    if user == "root":  # MariaDB does not like to be root
        user = next(name for name in ("mysql", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()})
        for path in (folder, data):
            shutil.chown(path, user)
    common = ("--no-defaults", f"--datadir={data}", f"--user={user}")
    _run(["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"])
    command = ["mariadbd", *common, f"--socket={socket_file}", f"--pid-file={folder / 'pid'}", *DATABASE_OPTIONS]
    with _running(command, folder / "mariadbd.log") as server:
        ping = ["mariadb-admin", "--no-defaults", f"--socket={socket_file}", "--user=root", "ping"]
        _wait(server, lambda: subprocess.run(ping, capture_output=True, check=False).returncode == 0)
        yield


def _install(folder: Path, port: int, environment: dict[str, str]) -> None:
    options = {
        "dbtype": "mysql",
        "dbserver": f"localhost:{folder / 'socket'}",
        "dbname": "wiki",
        "dbuser": "root",
        "dbpass": "",
        "installdbuser": "root",
        "installdbpass": "",
        "server": f"http://127.0.0.1:{port}",
        "scriptpath": "",
        "confpath": str(folder),
        "pass": os.urandom(16).hex(),
        "skins": "Vector",
        "extensions": "TextExtracts,PageImages",
    }
    script = str(INSTALLED / "maintenance" / "install.php")
    _run(["php", script, *(f"--{name}={value}" for name, value in options.items()), "Wiki", "Admin"], environment)
    with (folder / "LocalSettings.php").open("a", encoding="utf-8") as settings:
        settings.write(f"require {json.dumps(str(HERE / 'wiki_settings.php'))};\n")


def _fill(pages: Iterable[WikiPage], environment: dict[str, str]) -> None:
    lines = "".join(json.dumps({"title": page.title, "text": page.text}) + "\n" for page in pages)
    _run(["php", str(HERE / "wiki_fill.php")], environment, lines)


@contextmanager
def _web_server(folder: Path, port: int, environment: dict[str, str]) -> Iterator[None]:
    command = ["php", "-d", "zlib.output_compression=On", "-S", f"127.0.0.1:{port}", "-t", str(INSTALLED)]
    with _running(command, folder / "php.log", environment) as server:
        _wait(server, lambda: _is_open(port))
        yield


def _run(command: list[str], environment: dict[str, str] | None = None, text: str = "") -> None:
    done = subprocess.run(command, env=environment, input=text, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise RuntimeError(f"{command[0]} {command[1]} failed: {(done.stdout + done.stderr)[-2000:]}")


@contextmanager
def _running(command: list[str], log: Path, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server and end it, with the processes that it made."""
    with log.open("wb") as out:
        server = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd="/", start_new_session=True)
    try:
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait(server: subprocess.Popen[bytes], is_ready: Callable[[], bool]) -> None:
    until_s = time.monotonic() + START_LIMIT_S
    while not is_ready():
        if server.poll() is not None or time.monotonic() > until_s:
            raise RuntimeError(f"{server.args} did not start")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
