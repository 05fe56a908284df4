#!/usr/bin/python3
"""libtorrent as the tests need it: makes .torrent files, and runs sessions that seed, fetch or are bare DHT nodes.

  libtorrent-client.py create '{"path": ..., "out": ..., "pieceLength": ...}'
  libtorrent-client.py run '{"listen": ["10.77.0.2:6881"], "dht": true, "bootstrap": [...], "torrents": [...]}'

Longer options than a command line takes are in a file, `@FILE`. `run` prints one JSON line per event on stdout and takes one JSON command per line on stdin; it ends when stdin closes.
"""
import json
import os
import select
import sys
import time

import libtorrent as lt

TICK_SECONDS = 0.1
DHT_ANNOUNCE_SECONDS = 2
DHT_BOOTSTRAP_SECONDS = 0.2


def say(event, **fields):
    print(json.dumps({'event': event, **fields}), flush=True)


def address(text):
    host, _, port = text.rpartition(':')
    return host, int(port)


def create(options):
    """A version 1 .torrent of one file or folder; prints its info hash."""
    storage = lt.file_storage()
    lt.add_files(storage, options['path'])
    torrent = lt.create_torrent(storage, options['pieceLength'], lt.create_torrent.v1_only)
    for url in options.get('trackers', []):
        torrent.add_tracker(url)
    lt.set_piece_hashes(torrent, os.path.dirname(options['path']))
    encoded = lt.bencode(torrent.generate())
    with open(options['out'], 'wb') as out:
        out.write(encoded)
    info = lt.torrent_info(options['out'])
    say('created', infoHash=str(info.info_hashes().v1), pieces=info.num_pieces(), length=info.total_size())


def make_session(listen, dht):
    """A session of a private network: no IP may be too alike, too dark or too unverified for its DHT."""
    session = lt.session({
        'listen_interfaces': listen,
        'enable_dht': dht,
        'dht_bootstrap_nodes': '',
        'dht_restrict_routing_ips': False,
        'dht_restrict_search_ips': False,
        'dht_ignore_dark_internet': False,
        'dht_prefer_verified_node_ids': False,
        'dht_block_ratelimit': 1000000,
        'dht_upload_rate_limit': 10000000,
        'enable_incoming_utp': False,
        'enable_outgoing_utp': False,
        'enable_lsd': False,
        'enable_upnp': False,
        'enable_natpmp': False,
        'allow_multiple_connections_per_ip': True,
        'max_retry_port_bind': 0,
        'connection_speed': 100,
        'min_reconnect_time': 1,
        'alert_mask': lt.alert.category_t.error_notification
        | lt.alert.category_t.status_notification
        | lt.alert.category_t.dht_operation_notification
        | lt.alert.category_t.storage_notification
        # One of each torrent, each second: for those alone who count the nodes they know.
        | (lt.alert.category_t.stats_notification if dht else 0),
    })
    return session


def add_torrent(session, spec):
    params = lt.parse_magnet_uri(spec['magnet']) if 'magnet' in spec else lt.add_torrent_params()
    if 'torrent' in spec:
        params.ti = lt.torrent_info(spec['torrent'])
    params.save_path = spec['directory']
    params.flags &= ~lt.torrent_flags.auto_managed
    params.flags &= ~lt.torrent_flags.paused
    handle = session.add_torrent(params)
    if spec.get('uploadLimit'):
        # Of the torrent, not of the session: a session's limit does not hold for private addresses.
        handle.set_upload_limit(spec['uploadLimit'])
    for peer in spec.get('peers', []):
        handle.connect_peer(address(peer))
    return handle


class Runner:
    def __init__(self, options):
        self.sessions = [make_session(listen, options.get('dht', False)) for listen in options['listen']]
        self.handles = [add_torrent(self.sessions[0], spec) for spec in options.get('torrents', [])]
        self.bootstrap = options.get('bootstrap', [])
        self.leave_when_done = options.get('leaveWhenDone', False)
        self.dht = options.get('dht', False)
        self.nodes = [0] * len(self.sessions)
        self.flushing = set()
        self.finished = set()
        self.announce_due = 0.0
        self.bootstrap_due = 0.0

    def introduce(self):
        """Nodes are pinged once when they are added, and that may be too early: repeat until they are known."""
        for index, session in enumerate(self.sessions):
            session.post_session_stats()
            if self.nodes[index] < len(self.bootstrap) - 1 or self.nodes[index] == 0:
                for node in self.bootstrap:
                    session.add_dht_node(address(node))

    def command(self, line):
        order = json.loads(line)
        if order['command'] == 'lookup':
            self.sessions[0].dht_get_peers(lt.sha1_hash(bytes.fromhex(order['infoHash'])))
        elif order['command'] == 'nodes':
            say('nodes', nodes=self.nodes)

    def alerts(self):
        for index, session in enumerate(self.sessions):
            for alert in session.pop_alerts():
                if isinstance(alert, lt.session_stats_alert):
                    self.nodes[index] = alert.values['dht.dht_nodes']
                elif isinstance(alert, lt.dht_get_peers_reply_alert):
                    found = ['%s:%d' % peer for peer in alert.peers()]
                    say('found', infoHash=str(alert.info_hash), peers=found)
                elif isinstance(alert, lt.metadata_received_alert):
                    say('metadata', torrent=self.handles.index(alert.handle))
                elif isinstance(alert, lt.cache_flushed_alert):
                    self.flushed(alert.handle)
                elif alert.category() & lt.alert.category_t.error_notification:
                    print(alert.message(), file=sys.stderr, flush=True)

    def flushed(self, handle):
        """Only what the disk thread has written counts as done: somebody compares the files next."""
        index = self.handles.index(handle)
        if index in self.flushing and index not in self.finished:
            self.finished.add(index)
            say('done', torrent=index)

    def tick(self):
        self.alerts()
        now = time.monotonic()
        if self.dht and now >= self.bootstrap_due:
            self.bootstrap_due = now + DHT_BOOTSTRAP_SECONDS
            self.introduce()
        if self.dht and self.nodes[0] > 0 and now >= self.announce_due:
            self.announce_due = now + DHT_ANNOUNCE_SECONDS
            for handle in self.handles:
                handle.force_dht_announce()
        for index, handle in enumerate(self.handles):
            if index not in self.flushing and handle.status().is_seeding:
                self.flushing.add(index)
                handle.flush_cache()
        return not (self.leave_when_done and len(self.finished) == len(self.handles))

    def run(self):
        say('started', sessions=len(self.sessions))
        pending = b''
        while self.tick():
            readable, _, _ = select.select([0], [], [], TICK_SECONDS)
            if not readable:
                continue
            chunk = os.read(0, 65536)
            if not chunk:
                break
            pending += chunk
            *lines, pending = pending.split(b'\n')
            for line in lines:
                self.command(line)
        # Without its own tear-down, which waits for farewells to trackers and routers that do not exist here.
        sys.stdout.flush()
        os._exit(0)


def given(argument):
    """The argument, or what is in the file it names behind an @."""
    if not argument.startswith('@'):
        return argument
    with open(argument[1:]) as file:
        return file.read()


def main():
    action, options = sys.argv[1], json.loads(given(sys.argv[2]))
    if action == 'create':
        create(options)
    elif action == 'run':
        Runner(options).run()
    else:
        sys.exit('unknown action ' + action)


if __name__ == '__main__':
    main()
