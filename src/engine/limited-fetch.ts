// HTTP for web seeds that keeps to --max-download: a body is read on when its bytes have been paid for.

import { LIMITS } from '../torrent/limits.js';
import type { HttpFetch } from '../webseed/answer.js';
import type { EngineContext } from './engine-context.js';
import type { Network } from './network.js';

export function limitedFetch({ http, network }: EngineContext): HttpFetch {
  return async (url, options) => {
    const response = await http.get(url, { ...options, maxRedirects: LIMITS.httpRedirects });
    return { ...response, body: paid(response.body, network), destroy: () => response.destroy() };
  };
}

async function* paid(
  body: AsyncIterable<Uint8Array>,
  network: Network,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of body) {
    yield chunk;
    await network.payDownload(chunk.length);
  }
}
