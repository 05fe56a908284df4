#!/usr/bin/python3
"""libtorrent-client.py, with the local service discovery that is off in it."""
import os
import runpy

import libtorrent as lt

plain_session = lt.session
lt.session = lambda settings: plain_session({**settings, 'enable_lsd': True})
runpy.run_path(os.path.join(os.path.dirname(__file__), 'libtorrent-client.py'), run_name='__main__')
