"""The programs around the deployment: a MariaDB, the foreign AWS endpoint, the simulated factory and marketing system.

Everything listens on loopback only, on free ports, and ends with the trial.
"""

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

from .report import Failed, eventually


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Machines:
    """Programs that were started here, and the folder of their files and logs."""

    def __init__(self, root, folder):
        self.root = root
        self.folder = folder
        self._running = []
        self._mariadb = False

    def start(self, name, command, environment=None, port=None):
        """Starts a program in a group of its own, and waits until it listens."""
        log = self.folder / f"{name}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)

        def listens():
            if process.poll() is not None:
                raise Failed(f"{name} ended; its log:\n{log.read_text(errors='replace')[-2000:]}")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        if port is not None:
            eventually(f"{name} listens on port {port}", listens)

    def mariadb(self):
        """The URL of an empty server."""
        script = str(self.root / ".ci/mariadb")
        started = subprocess.run([script, "start", str(self.folder / "mariadb")], capture_output=True, text=True)
        if started.returncode != 0:
            raise Failed(f"MariaDB does not start: {started.stderr[-2000:]}")
        self._mariadb = True
        return started.stdout.strip()

    def aws(self):
        """The foreign endpoint's URL. Its functions are its children and inherit its environment."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        environment = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "AWS_ENDPOINT_URL": url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        program = os.path.join(os.path.dirname(sys.executable), "ministack")
        self.start("aws", [program], environment, port)
        eventually("the AWS endpoint answers", lambda: answers(url))
        return url

    def factory(self, restock, *more):
        port = free_port()
        command = [restock, "factory", "--listen", f"127.0.0.1:{port}", "--orders", "factory", "--delay-ms", "1500"]
        self.start("factory", [*command, *more], port=port)
        return f"http://127.0.0.1:{port}"

    def marketing(self, restock):
        port = free_port()
        command = [restock, "marketing", "--listen", f"127.0.0.1:{port}", "--received", "marketing.jsonl"]
        self.start("marketing", command, port=port)
        return f"http://127.0.0.1:{port}"

    def end(self):
        for process in reversed(self._running):
            for how in (signal.SIGTERM, signal.SIGKILL):
                # The group: the endpoint's functions too. It may outlive its first process.
                try:
                    os.killpg(process.pid, how)
                except ProcessLookupError:
                    break
                try:
                    process.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    pass
        if self._mariadb:
            subprocess.run([str(self.root / ".ci/mariadb"), "stop", str(self.folder / "mariadb")], check=False)


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=2)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


class OwnDomain:
    """What a custom domain is on AWS: a base URL of the HTTP API that is known before the API is made."""

    def __init__(self, aws_url):
        domain = self
        self.api_id = None

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                size = int(self.headers.get("Content-Length") or 0)
                passed = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "connection")}
                request = urllib.request.Request(
                    f"{aws_url}/_aws/execute-api/{domain.api_id}{self.path}",
                    data=self.rfile.read(size) if size else None,
                    headers=passed,
                    method=self.command,
                )
                try:
                    answer = urllib.request.urlopen(request, timeout=60)
                except urllib.error.HTTPError as refused:
                    answer = refused
                except OSError as error:
                    self.send_error(502, str(error))
                    return
                body = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = forward

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
