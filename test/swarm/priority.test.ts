import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { canonicalPriority } from '../../src/swarm/priority.js';
import { CORPUS } from '../support/root.js';

const VECTORS = join(CORPUS, 'vectors.json');

const priority = (a: string, b: string, portA = 0, portB = 0) =>
  canonicalPriority({ host: a, port: portA }, { host: b, port: portB });

t.test('the examples of BEP 40', async t => {
  t.equal(priority('123.213.32.10', '98.76.54.32'), 0xec2d7224);
  t.equal(priority('123.213.32.10', '123.213.32.234'), 0x99568189);
});

t.test('each mask of IPv4', async t => {
  t.equal(priority('230.120.23.1', '230.12.123.3'), 0xfa9a860e, 'different /16: FF.FF.55.55');
  t.equal(priority('230.12.23.1', '230.12.123.3'), 0x21fd5f80, 'same /16: FF.FF.FF.55');
  t.equal(priority('230.12.123.1', '230.12.123.3'), 0x99c54d79, 'same /24: all bits');
  t.equal(priority('230.12.123.3', '230.12.123.3', 1234, 300), 0xae8b7034, 'same host: the ports');
});

t.test('each mask of IPv6, as the text of the BEP has it', async t => {
  const all = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
  t.equal(priority(all, 'ffff:0fff:ffff:ffff:ffff:ffff:ffff:ffff'), 0x59d71f38, 'different /48');
  t.equal(priority(all, 'ffff:ffff:ff0f:ffff:ffff:ffff:ffff:ffff'), 0x755f8512, 'the sixth byte differs');
  t.equal(priority(all, 'ffff:ffff:ffff:0fff:ffff:ffff:ffff:ffff'), 0x27a88382, 'same /48');
  t.equal(priority(all, all, 1234, 300), 0xae8b7034, 'same host: the ports');
});

t.test('both ends agree', async t => {
  for (const [a, b] of [
    ['1.2.3.4', '4.3.2.1'],
    ['2001:db8::1', '2001:db8::2'],
    ['9.9.9.9', '9.9.9.9'],
  ] as const) {
    t.not(priority(a, b, 1, 2), 0);
    t.equal(priority(a, b, 1, 2), priority(b, a, 2, 1));
  }
  t.equal(priority('::ffff:1.2.3.4', '4.3.2.1'), priority('1.2.3.4', '4.3.2.1'), 'a mapped address is IPv4');
});

t.test('0 where the BEP has no rule', async t => {
  t.equal(priority('1.2.3.4', '2001:db8::1'), 0);
  t.equal(priority('1.2.3.4', 'example.org'), 0);
});

interface Vector {
  readonly group: string;
  readonly id: string;
  readonly input: { client_ip: string; client_port: number; peer_ip: string; peer_port: number };
  readonly output: { priority?: string; bep_text?: { priority: string } };
}

t.test('the corpus', { skip: existsSync(VECTORS) ? false : 'corpus is absent' }, async t => {
  const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(VECTORS, 'utf8'));
  const ours = vectors.filter(({ group }) => group === 'bep40_peer_priority');
  t.ok(ours.length > 0);
  for (const { id, input, output } of ours) {
    const found = priority(input.client_ip, input.peer_ip, input.client_port, input.peer_port);
    t.equal(found.toString(16).padStart(8, '0'), output.priority ?? output.bep_text?.priority, id);
  }
});
