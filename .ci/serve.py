"""Serve a folder on localhost and open it in a browser: python serve.py FOLDER PORT."""

import sys
import webbrowser
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Quiet(SimpleHTTPRequestHandler):
    """A handler that does not print a line for each request."""

    def log_message(self, *args: object) -> None:
        """Print nothing."""


folder, port = sys.argv[1], sys.argv[2]
try:
    address = ("127.0.0.1", int(port))
    server = ThreadingHTTPServer(address, partial(Quiet, directory=folder))
except (OSError, OverflowError, ValueError) as error:
    sys.exit(f"serve: PORT must be a free port in [0, 65535], got {port} ({error})")
url = f"http://localhost:{server.server_port}/"
print(f"The book is at {url} until you press Ctrl-C.", flush=True)
webbrowser.open(url)
try:
    server.serve_forever()
except KeyboardInterrupt:
    print()
