"""S3 of moto in server mode. Prints its port; ends when its standard input does.

AWS answers "only if absent" for one writer at a time; moto looks and writes in two steps, so a lock serves one request at
a time.
"""

import io
import logging
import os
import sys
import threading

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class OneAtATime:
    def __init__(self, application):
        self.application = application
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        with self.lock:
            return [b"".join(self.application(environ, start_response))]


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *args, **kwargs):
        pass


def end_with_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = OneAtATime(create_backend_app("s3"))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    threading.Thread(target=end_with_input, daemon=True).start()
    print(server.server_port, flush=True)
    server.serve_forever()
