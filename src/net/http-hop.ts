// One request of an exchange: where it goes and with which headers, the first one and those after redirects. Sends nothing.

import { HttpError } from './http-error.js';

export interface HttpHop {
  /** Without user and password, which are in the headers. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

const REDIRECTS = [301, 302, 303, 307, 308];
/** Headers that are meant for one origin alone. */
const PRIVATE_HEADERS = ['authorization', 'cookie'];

/** The first request. Throws HttpError 'bad-url'. @param headers names in lower case */
export function firstHop(url: string, headers: Readonly<Record<string, string>>): HttpHop {
  if (!URL.canParse(url)) throw new HttpError('bad-url', 'not a valid URL');
  return hopTo(new URL(url), headers);
}

/** Where the answer sends us, or undefined when it is no redirect. */
export function redirectTarget(status: number, location: string | undefined): string | undefined {
  return REDIRECTS.includes(status) ? location : undefined;
}

/** The request that follows a redirect; another origin gets no credentials of this one. Throws HttpError 'bad-url'. */
export function nextHop(from: HttpHop, location: string): HttpHop {
  if (!URL.canParse(location, from.url.href))
    throw new HttpError('bad-url', 'redirected to what is no valid URL');
  const to = new URL(location, from.url);
  const headers = Object.entries(from.headers).filter(
    ([name]) => to.origin === from.url.origin || !PRIVATE_HEADERS.includes(name),
  );
  return hopTo(to, Object.fromEntries(headers));
}

function hopTo(url: URL, headers: Readonly<Record<string, string>>): HttpHop {
  if (!/^https?:$/.test(url.protocol))
    throw new HttpError('bad-url', `${url.protocol} is neither http: nor https:`);
  if (url.port === '0') throw new HttpError('bad-url', 'nobody listens on port 0');
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  bare.hash = '';
  if (url.username === '' && url.password === '') return { url: bare, headers };
  const credentials = `${percentDecoded(url.username)}:${percentDecoded(url.password)}`;
  return { url: bare, headers: { ...headers, authorization: `Basic ${btoa(latin1(credentials))}` } };
}

/** As it is where it is not percent-encoded properly. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** UTF-8 bytes as the characters 0 to 255, which is what btoa takes. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
