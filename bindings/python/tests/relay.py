"""A forward proxy and small servers of HTTP for tests, each on a free port of the loopback interface."""

from __future__ import annotations

import http.server
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers what a function says to a request: a status, headers and a body."""

    protocol_version = "HTTP/1.1"
    answer: Callable[[Handler], tuple[int, dict[str, str], bytes]]

    def do_GET(self) -> None:
        """Answers."""
        status, headers, body = type(self).answer(self)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server until the block ends; gives `address:port`."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


def answering(answer: Callable[[Handler], tuple[int, dict[str, str], bytes]]) -> type[Handler]:
    """A handler that answers so."""
    return type("Answering", (Handler,), {"answer": staticmethod(answer)})


class Proxy(Handler):
    """A forward proxy, for whole URLs and for `CONNECT`."""

    seen: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        """Forwards a request for a whole URL."""
        self._remember()
        url = urlsplit(self.path)
        connection = HTTPConnection(url.netloc)
        headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
        connection.request("GET", f"{url.path}?{url.query}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        connection.close()

    def do_CONNECT(self) -> None:
        """Forwards bytes in both directions until one of them ends."""
        self._remember()
        host, port = self.path.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as server:
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            back = threading.Thread(target=_pump, args=[server, self.connection])
            back.start()
            _pump(self.connection, server)
            back.join()
        self.close_connection = True

    def _remember(self) -> None:
        type(self).seen.append((f"{self.command} {self.path}", {name.lower(): value for name, value in self.headers.items()}))


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(1 << 16):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def proxy() -> type[Proxy]:
    """A proxy that has seen nothing."""
    return type("OwnProxy", (Proxy,), {"seen": []})


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server on 127.0.0.1 needs for https, and what a client needs to trust it."""
    key, chain = folder / "key.pem", folder / "chain.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    subject = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(chain)]
    subprocess.run([*command.split(), *subject], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, key)
    return server, ssl.create_default_context(cafile=str(chain))
