// nginx in a namespace: a plain web server as a web seed is one, with a record of what it was asked for.

import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import bencode from 'bencode';
import type { Content } from './content.js';
import type { Namespace } from './namespaces.js';
import { eventually, type Program } from './program.js';

const READY_MS = 10_000;
const PORT = 80;

export interface NginxSpec {
  /** The folder it serves. */
  readonly root: string;
  /** Off: it answers each range request with the whole file. */
  readonly ranges?: boolean;
  /** Of each connection. */
  readonly rateBps?: number;
  /** All it is asked for is there instead: `http://host[:port]`, without a path. */
  readonly movedTo?: string;
}

/** One answered request, in the order of their ends. */
export interface WebRequest {
  /** As it came: escaped. */
  readonly target: string;
  /** The Range header, `` where there was none. */
  readonly range: string;
  readonly status: number;
  /** Bytes of body sent. */
  readonly bytes: number;
}

export class Nginx {
  readonly program: Program;
  /** `http://host`, no slash behind it. */
  readonly url: string;
  readonly #log: string;

  private constructor(program: Program, url: string, log: string) {
    this.program = program;
    this.url = url;
    this.#log = log;
  }

  /** Ready when it listens; one in each namespace. */
  static async start(namespace: Namespace, spec: NginxSpec): Promise<Nginx> {
    const prefix = join(namespace.directory, 'nginx');
    await mkdir(prefix, { recursive: true });
    await writeFile(join(prefix, 'nginx.conf'), configuration(namespace.address, spec));
    const argv = ['nginx', '-p', prefix, '-e', 'stderr', '-c', 'nginx.conf'];
    const program = namespace.start('nginx', argv);
    // It writes this file once it listens, and says nothing.
    const listens = (): true | undefined => existsSync(join(prefix, 'nginx.pid')) || undefined;
    await eventually('nginx listens', READY_MS, listens);
    return new Nginx(program, `http://${namespace.address}`, join(prefix, 'access.log'));
  }

  async requests(): Promise<WebRequest[]> {
    const lines = (await readFile(this.#log, 'utf8')).split('\n').filter(Boolean);
    return lines.map(line => JSON.parse(line) as WebRequest);
  }
}

/** One process of ours and root's, all of whose files lie below its prefix. */
function configuration(address: string, spec: NginxSpec): string {
  const target = '"target":"$request_uri","range":"$http_range"';
  const answer = '"status":$status,"bytes":$body_bytes_sent';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
http {
  log_format one escape=json '{${target},${answer}}';
  access_log access.log one;
  ${temporary.map(name => `${name}_temp_path ${name};`).join('\n  ')}
  keepalive_timeout 60;
  server {
    listen ${address}:${PORT};
    root "${spec.root}";
    ${spec.ranges === false ? 'max_ranges 0;' : ''}
    ${spec.rateBps === undefined ? '' : `limit_rate ${spec.rateBps};`}
    ${spec.movedTo === undefined ? '' : `return 302 ${spec.movedTo}$request_uri;`}
  }
}
`;
}

/** A copy of the content's .torrent that names web seeds (BEP 19), its info dictionary untouched; the path. */
export async function withWebSeeds(
  content: Content,
  label: string,
  urls: readonly string[],
): Promise<string> {
  const metainfo = bencode.decode(await readFile(content.torrent));
  const path = join(content.parent, `${content.name}.${label}.torrent`);
  await writeFile(path, bencode.encode({ ...metainfo, 'url-list': urls.length === 1 ? urls[0] : urls }));
  return path;
}
