// URLs of strangers that lead to this machine: what the engine asks of them, and what it does not.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { limitedFetch } from '../../src/engine/limited-fetch.js';
import { trackerEdges } from '../../src/engine/tracker-access.js';
import { HttpClient } from '../../src/net/http.js';
import { LIMITS } from '../../src/torrent/limits.js';

const BOUNDS = {
  maxBytes: 100,
  timeoutMs: 20_000,
  totalMs: 20_000,
  signal: new AbortController().signal,
};

/** A program of this machine that does what it is asked for, and the client that is to leave it alone. */
async function machine(t: Test) {
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const to = /[?&]to=([^&]*)/.exec(url)?.[1];
    if (to === undefined) response.end('done');
    else response.writeHead(302, { location: decodeURIComponent(to) }).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const http = new HttpClient({});
  t.teardown(() => {
    http.close();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { asked, http, origins: [`http://127.0.0.1:${port}`, `http://localhost:${port}`] };
}

t.test('trackers of this machine are asked below /announce', async t => {
  const { asked, http, origins } = await machine(t);
  const edges = trackerEdges(http, () => 0, undefined);
  const refusal = {
    kind: 'too-near',
    message: /^it names an address of this machine in a way that is refused: .* must end in \/announce$/,
  };
  const good = ['/announce?a=1', '/key/announce.php?a=1', '/x/Announce', '/scrape?a=1', '/key/scrape.php'];
  const bad = ['/?a=1', '/api/stop?x=/announce', '/announce/stop?a=1', '/preannounce', '/announce/../stop'];
  for (const origin of origins) {
    asked.length = 0;
    for (const path of good)
      t.match(await edges.http(origin + path, BOUNDS), { status: 200, body: Buffer.from('done') }, path);
    t.same(asked, good);
    for (const path of bad) await t.rejects(edges.http(origin + path, BOUNDS), refusal, path);
    await t.rejects(edges.http(`${origin}/announce?to=/stop`, BOUNDS), refusal, 'a redirect');
    t.same(asked.slice(good.length), ['/announce?to=/stop']);
  }
});

t.test('web seeds of this machine are asked without a query', async t => {
  const { asked, http, origins } = await machine(t);
  const paid: number[] = [];
  const network = {
    receiveBytes: LIMITS.receiveBytes,
    payDownload: async (bytes: number) => void paid.push(bytes),
  };
  const fetch = limitedFetch({ http, network });
  const options = { headers: {}, timeoutMs: BOUNDS.timeoutMs, signal: BOUNDS.signal };
  const refusal = {
    kind: 'too-near',
    message: /^it names an address of this machine in a way that is refused: .* must have no query$/,
  };
  for (const origin of origins) {
    asked.length = paid.length = 0;
    const { body } = await fetch(`${origin}/pub/a%3Fb=c`, options);
    for await (const part of body) t.equal(Buffer.from(part).toString(), 'done');
    t.same(paid, [4]);
    for (const path of ['/pub?stop=1', '/?stop', '/pub/?to=/pub'])
      await t.rejects(fetch(origin + path, options), refusal, path);
    t.same(asked, ['/pub/a%3Fb=c']);
  }
});
