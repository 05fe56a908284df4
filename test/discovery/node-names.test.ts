import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { NodeNames } from '../../src/discovery/node-names.js';

/** A name server on loopback that knows `known.test`, is silent about `silent.test`, and denies all else. */
async function namesWithServer(t: Test): Promise<NodeNames> {
  const server = createSocket('udp4');
  server.on('message', (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const question = query.subarray(12, end);
    if (question.includes('silent')) return;
    const known = question.includes('known');
    const header = Buffer.from(known ? '81800001000100000000' : '81830001000000000000', 'hex');
    const answer = Buffer.from(known ? 'c00c0001000100000001000409080706' : '', 'hex');
    server.send(Buffer.concat([query.subarray(0, 2), header, question, answer]), from.port, from.address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const resolver = new Resolver({ timeout: 60_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${server.address().port}`]);
  return new NodeNames(resolver);
}

t.test('addresses are themselves, IPv4 alone', async t => {
  const names = await namesWithServer(t);
  t.equal(await names.resolve('10.77.0.1'), '10.77.0.1');
  t.equal(await names.resolve('::1'), undefined);
  t.equal(await names.resolve('::ffff:10.77.0.1'), undefined, 'no node is known under such a name');
});

t.test('a name that is not answered for delays no other, and is given up on close', async t => {
  const names = await namesWithServer(t);
  const silent = names.resolve('silent.test');
  t.equal(await names.resolve('known.test'), '9.8.7.6');
  names.close();
  t.equal(await silent, undefined);
});

t.test('what DNS does not know may be in the hosts file', async t => {
  const names = await namesWithServer(t);
  t.equal(await names.resolve('localhost'), '127.0.0.1');
  t.equal(await names.resolve('a..b'), undefined);
});

t.test('a torrent cannot have any number of names asked for', async t => {
  const names = await namesWithServer(t);
  const silent = Array.from({ length: 40 }, (_, at) => names.resolve(`silent-${at}.test`));
  t.equal(await silent[39], undefined, 'the last is left out at once');
  t.equal(await names.resolve('10.77.0.1'), '10.77.0.1', 'addresses do not count');
  t.equal(await names.resolve('known.test'), undefined);
  names.close();
  await Promise.all(silent);
  t.equal(await names.resolve('known.test'), '9.8.7.6');
});
