// Where a web seed has a file (BEP 19). Pure text; which URLs are usable at all is said in torrent/source-urls.ts.

import type { Metainfo, TorrentFile } from '../torrent/metainfo-types.js';

/** A surrogate without its other half, which has no percent-encoding. */
const LONE_SURROGATE = /\p{Cs}/gu;

/**
 * The URL of one file. A web seed of a folder is the place where the folder lies; that of a single file is the file
 * itself, or, where it ends in a slash, the place where the file lies. A query stays behind the path, unless it is the
 * query that ends in the slash: then the path is a part of it.
 * @param seed an absolute http or https URL @returns undefined when it is none
 */
export function fileUrl(
  seed: string,
  { singleFile }: Pick<Metainfo, 'singleFile'>,
  { path, rawPath = path }: Pick<TorrentFile, 'path' | 'rawPath'>,
): string | undefined {
  if (!URL.canParse(seed)) return undefined;
  const url = new URL(seed);
  if (!/^https?:$/.test(url.protocol)) return undefined;
  url.hash = '';
  const isFolder = url.href.endsWith('/');
  if (singleFile && !isFolder) return url.href;
  // Dots would lead to another folder, however they are written.
  const names = rawPath.some(name => name === '.' || name === '..') ? path : rawPath;
  const below = names.map(encoded).join('/');
  if (isFolder) return `${url.href}${below}`;
  const query = url.search;
  url.search = '';
  return `${url.href}${url.pathname.endsWith('/') ? '' : '/'}${below}${query}`;
}

function encoded(component: string): string {
  return encodeURIComponent(component.replace(LONE_SURROGATE, '\ufffd'));
}
