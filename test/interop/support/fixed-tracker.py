#!/usr/bin/python3
"""An HTTP tracker that names one peer to everybody, for clients that cannot be told of a peer on their command line.

  fixed-tracker.py HOST:PORT-TO-LISTEN-ON HOST:PORT-OF-THE-PEER
"""
import http.server
import socket
import struct
import sys


def address(text):
    host, _, port = text.rpartition(':')
    return host, int(port)


PEER_HOST, PEER_PORT = address(sys.argv[2])
COMPACT_PEER = socket.inet_aton(PEER_HOST) + struct.pack('>H', PEER_PORT)
ANSWER = b'd8:intervali1800e5:peers6:' + COMPACT_PEER + b'e'


class Tracker(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(address(sys.argv[1]), Tracker)
print('listening', flush=True)
server.serve_forever()
