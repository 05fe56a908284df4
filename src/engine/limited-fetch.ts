// HTTP for web seeds that keeps to --max-download: a body is read on when its bytes have been paid for.

import type { HttpClient, NearRule } from '../net/http.js';
import { EVERYWHERE, MACHINE } from '../torrent/ip.js';
import { LIMITS } from '../torrent/limits.js';
import type { HttpFetch } from '../webseed/answer.js';
import type { Network } from './network.js';

/**
 * A torrent may name any URL as a web seed. Routers and programs without a password take orders by query; a GET of a bare
 * path at worst reads a file, which then fails its hash check. So at addresses of this machine or a private network no
 * URL with a query is asked.
 */
const NEAR_WEB_SEEDS: NearRule = {
  nearest: ({ search }) => (search === '' ? MACHINE : EVERYWHERE),
  reason: 'the URL of a web seed there must have no query',
};

interface Access {
  readonly http: HttpClient;
  readonly network: Pick<Network, 'payDownload' | 'receiveBytes'>;
}

export function limitedFetch({ http, network }: Access): HttpFetch {
  return async (url, options) => {
    const response = await http.get(url, {
      ...options,
      maxRedirects: LIMITS.httpRedirects,
      nearRule: NEAR_WEB_SEEDS,
    });
    return { ...response, body: paid(response.body, network), destroy: () => response.destroy() };
  };
}

async function* paid(
  body: AsyncIterable<Uint8Array>,
  network: Access['network'],
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of body) {
    for (let begin = 0; begin < chunk.length; begin += network.receiveBytes) {
      const part = chunk.subarray(begin, begin + network.receiveBytes);
      yield part;
      await network.payDownload(part.length);
    }
  }
}
