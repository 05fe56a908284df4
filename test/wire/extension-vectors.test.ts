// The extension protocol as other clients and the BEPs write it.

import t from 'tap';
import { LIMITS } from '../../src/torrent/limits.js';
import { encode } from '../../src/wire/encode.js';
import { ExtensionCodec, LOCAL_IDS, parseExtended } from '../../src/wire/extension.js';
import type { ExtensionHandshake } from '../../src/wire/message.js';
import { ascii, concat, hex, show, vectors } from './samples.js';

const handshake = (fields: Omit<ExtensionHandshake, 'type'>): string =>
  show({ type: 'extensionHandshake', ...fields });
const ut = (head: string, data = new Uint8Array(0)) =>
  show(parseExtended(LOCAL_IDS.utMetadata, concat(ascii(head), data)));

const bep10 = vectors('bep10_extended_handshake');
const bep9 = vectors('bep9_metadata');

t.test('handshakes of other clients', { skip: bep10.skip }, async t => {
  const theirs = (id: string, field: string) => show(parseExtended(0, hex(bep10.get(id, field)).subarray(6)));
  t.equal(
    theirs('live-libtorrent-2.0.8', 'extended_handshake_message'),
    handshake({
      utMetadata: 2,
      utPex: 1,
      dontHave: 7,
      metadataSize: 211,
      reqq: LIMITS.pipelineMax,
      uploadOnly: true,
      yourIp: hex('7f000001'),
      client: 'libtorrent/2.0.8.0',
    }),
  );
  t.equal(
    theirs('live-aria2-1.36.0', 'extended_handshake_message'),
    handshake({ utMetadata: 9, metadataSize: 211, client: 'aria2/1.36.0', listenPort: 26882 }),
  );
  t.equal(
    theirs('live-transmission-3.00', 'extended_handshake_message'),
    handshake({
      utMetadata: 3,
      utPex: 1,
      metadataSize: 211,
      reqq: 512,
      uploadOnly: true,
      client: 'Transmission 3.00',
      listenPort: 26883,
    }),
  );
  t.equal(theirs('message-layout', 'message'), handshake({ utMetadata: 3, utPex: 1, client: 'corpus 1' }));
  for (const field of ['payload_with_one_byte_mu', 'payload_with_utf8_mu']) {
    const spec = show(parseExtended(0, hex(bep10.get('spec-example', field))));
    t.equal(spec, handshake({ client: 'µTorrent 1.2', listenPort: 6881 }), field);
  }
  t.equal(show(parseExtended(0, ascii(bep10.get('disable-erratum', 'text')))), handshake({}));
});

t.test('metadata from other clients', { skip: bep9.skip }, async t => {
  t.equal(ut(bep9.get('request', 'payload')), show({ type: 'metadataRequest', piece: 0 }));
  t.equal(ut(bep9.get('reject-erratum', 'payload')), show({ type: 'metadataReject', piece: 0 }));
  const data = new Uint8Array(3425);
  t.equal(
    ut(bep9.get('data-erratum', 'payload'), data),
    show({ type: 'metadataData', piece: 0, totalSize: 3425, data }),
  );
  t.equal(ut(bep9.get('data-erratum', 'printed_in_bep'), data), show('bad-extension'));

  const ids = { 'libtorrent-2.0.8': 2, 'aria2-1.36.0': 9, 'transmission-3.00': 3 };
  for (const [client, id] of Object.entries(ids)) {
    const codec = new ExtensionCodec();
    codec.decode(0, hex(bep10.get(`live-${client}`, 'extended_handshake_message')).subarray(6));
    const request = codec.encode({ type: 'metadataRequest', piece: 0 });
    t.equal(request?.id, id);
    t.same(request && encode(request), hex(bep9.get(`live-exchange-${client}`, 'request_message')), client);
    const reply = hex(bep9.get(`live-exchange-${client}`, 'data_message')).subarray(6);
    const metadata = hex(bep9.get(`live-exchange-${client}`, 'metadata'));
    const expected = { type: 'metadataData', piece: 0, totalSize: 211, data: metadata };
    t.equal(show(parseExtended(LOCAL_IDS.utMetadata, reply)), show(expected));
  }
});
