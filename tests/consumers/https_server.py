#!/usr/bin/env python3
"""Serves DIR over https on 127.0.0.1: https_server.py DIR CERTIFICATE KEY; prints " port N"."""
import functools
import http.server
import ssl
import sys


class Server(http.server.ThreadingHTTPServer):
    def get_request(self):
        try:
            return super().get_request()
        except ssl.SSLError as error:  # lxc tries plain http for files first
            raise OSError from error


def main(root, certificate, key):
    server = Server(("127.0.0.1", 0), functools.partial(http.server.SimpleHTTPRequestHandler, directory=root))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("serving on port %d" % server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
