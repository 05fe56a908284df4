// The HTTP client of a process, under our name.

import { HttpClient } from '../net/http.js';
import type { Binding } from '../torrent/binding.js';
import { version } from './version.js';

/** @param binding what connections are made from; undefined: the system chooses */
export function httpClient(binding: Binding | undefined): HttpClient {
  return new HttpClient({ userAgent: `rarest/${version()}`, binding });
}
