#!/usr/bin/python3
"""What libtorrent reads in a .torrent, as JSON: torrent-facts.py FILE"""
import json
import sys

import libtorrent as lt

info = lt.torrent_info(sys.argv[1])
files = info.files()
own = [i for i in range(files.num_files()) if not files.file_flags(i) & lt.file_flags_t.flag_pad_file]
trackers = list(info.trackers())
tiers = [[t.url for t in trackers if t.tier == tier] for tier in sorted({t.tier for t in trackers})]
fields = lt.bdecode(info.info_section())

print(json.dumps({
    'infoHash': str(info.info_hashes().v1),
    'name': info.name(),
    'pieceLength': info.piece_length(),
    'pieces': info.num_pieces(),
    'files': [{'path': files.file_path(i), 'length': files.file_size(i)} for i in own],
    # Whether each file begins with a piece of its own.
    'aligned': all(files.file_offset(i) % info.piece_length() == 0 for i in own),
    'tiers': [sorted(tier) for tier in tiers],
    'webSeeds': [seed['url'] for seed in info.web_seeds()],
    'nodes': ['%s:%d' % node for node in info.nodes()],
    'private': info.priv(),
    'source': fields.get(b'source', b'').decode(),
    'comment': info.comment(),
}))
