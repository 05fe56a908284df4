#!/usr/bin/python3
"""An HTTP tracker that names the same peers to everybody, for clients that cannot be told of a peer on their command line.

  fixed-tracker.py HOST:PORT-TO-LISTEN-ON HOST:PORT-OF-A-PEER...
"""
import http.server
import socket
import socketserver
import struct
import sys


def address(text):
    host, _, port = text.rpartition(':')
    return host, int(port)


PEERS = [address(peer) for peer in sys.argv[2:]]
COMPACT_PEERS = b''.join(socket.inet_aton(host) + struct.pack('>H', port) for host, port in PEERS)
ANSWER = b'd8:intervali1800e5:peers%d:%se' % (len(COMPACT_PEERS), COMPACT_PEERS)


class Tracker(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_):
        pass


# HTTPServer would look up the name of its address, which takes seconds where nobody answers.
server = socketserver.ThreadingTCPServer(address(sys.argv[1]), Tracker)
print('listening', flush=True)
server.serve_forever()
