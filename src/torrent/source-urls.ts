// URLs of trackers and web seeds as torrents, links and users give them: which are usable, each once, a bounded number.

import { LIMITS } from './limits.js';

/** The URL of an HTTP or UDP tracker without the white space around it, or undefined when we cannot use it. */
export function trackerUrl(text: string): string | undefined {
  return usableUrl(text, /^(?:https?|udp):\/\/[^\s\p{Cc}]+$/iu);
}

/** The URL of a web seed (BEP 19) without the white space around it, or undefined when it is not http or https. */
export function webSeedUrl(text: string): string | undefined {
  return usableUrl(text, /^https?:\/\/[^\s\p{Cc}]+$/iu);
}

/** The URL without user and password, fit to be printed. */
export function shownUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
}

/** Usable trackers in their tiers (BEP 12); one that comes again, empty tiers and more than the limit are left out. */
export function trackerTiers(tiers: Iterable<Iterable<string>>): string[][] {
  const seen = new Set<string>();
  const kept: string[][] = [];
  for (const tier of tiers) {
    const urls: string[] = [];
    for (const text of tier) {
      const url = trackerUrl(text);
      if (url === undefined || seen.has(url)) continue;
      seen.add(url);
      urls.push(url);
      if (seen.size >= LIMITS.trackers) break;
    }
    if (urls.length > 0) kept.push(urls);
    if (seen.size >= LIMITS.trackers) break;
  }
  return kept;
}

/** Usable web seeds, each once, as many as the limit allows. */
export function webSeedUrls(texts: Iterable<string>): string[] {
  const kept = new Set<string>();
  for (const text of texts) {
    const url = webSeedUrl(text);
    if (url !== undefined) kept.add(url);
    if (kept.size >= LIMITS.webSeeds) break;
  }
  return [...kept];
}

function usableUrl(text: string, form: RegExp): string | undefined {
  if (text.length > LIMITS.urlChars) return undefined;
  const url = text.trim();
  return form.test(url) && URL.canParse(url) ? url : undefined;
}
