// Which addresses an HTTP request may go to: URLs come from strangers, who must not reach through us into the user's own
// network. Sends nothing.

import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { addressBytes, MACHINE, type Scope, scopeOf } from '../torrent/ip.js';
import { HttpError } from './http-error.js';

/** What may be asked at addresses of this machine and its network, though a stranger named it. */
export interface NearRule {
  /** The nearest that this URL may lead to; asked of every URL, those after redirects included. */
  readonly nearest: (url: URL) => Scope;
  /** What the rule is, for the user, behind a colon. */
  readonly reason: string;
}

/** How near the address of one request may be, and what to say where it is nearer. */
export interface Nearness {
  readonly nearest: Scope;
  readonly refusal: (scope: Scope) => HttpError;
}

/**
 * How near the address of this URL may be. Throws HttpError 'too-near' where the URL has an IP literal that is nearer:
 * those are not looked up. (URL has made one canonical literal of every spelling, octal and decimal numbers among them.)
 * @param redirectedFrom how far the address reaches that sent us here; MACHINE where none did
 */
export function nearnessOf(url: URL, redirectedFrom: Scope, rule: NearRule | undefined): Nearness {
  const ruled = rule?.nearest(url) ?? MACHINE;
  const nearest = ruled > redirectedFrom ? ruled : redirectedFrom;
  const refusal = (scope: Scope) => {
    const place = scope === MACHINE ? 'this machine' : 'your network';
    const text =
      scope < redirectedFrom
        ? `redirected to an address of ${place}, which is refused`
        : `it names an address of ${place} in a way that is refused: ${rule?.reason}`;
    return new HttpError('too-near', text);
  };
  const literal = scopeOfHost(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  if (literal < nearest) throw refusal(literal);
  return { nearest, refusal };
}

/**
 * Looks names up for a socket and leaves out the addresses that are too near. As the socket connects to what it is given
 * here, the name may mean something else a moment later (DNS rebinding) without harm.
 */
export function checkedLookup({ nearest, refusal }: Nearness): LookupFunction {
  return (name, options, callback) =>
    systemLookup(name, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const allowed = found.filter(({ address }) => scopeOfHost(address) >= nearest);
      const [first] = allowed;
      if (first === undefined) callback(refusal(scopeOfHost(found[0]?.address)), []);
      else if (options.all) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
}

/** How far an address reaches that may have a zone (RFC 4007); a name, which has no address yet, counts as everywhere. */
export function scopeOfHost(host: string | undefined): Scope {
  return scopeOf(host === undefined ? undefined : addressBytes(host.replace(/%.*$/, '')));
}
