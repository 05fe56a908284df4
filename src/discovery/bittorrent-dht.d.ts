// The part of bittorrent-dht 11 that dht.ts uses; the package brings no types.

declare module 'bittorrent-dht' {
  import type { EventEmitter } from 'node:events';

  export interface Node {
    id?: Uint8Array;
    host: string;
    port: number;
  }

  export interface Options {
    /** Asked in each lookup until the table holds as many nodes. */
    bootstrap: { host: string; port: number }[];
    /** Stands in for a dgram.Socket. */
    socket: EventEmitter;
    /** Queries under way at a time. */
    concurrency: number;
    /** ms after which a query has failed. */
    timeout: number;
    /** Announces of others kept, and for how many ms. */
    maxPeers: number;
    maxAge: number;
  }

  type PeerListener = (peer: { host: string; port: number }, infoHash: Uint8Array) => void;

  export class Client extends EventEmitter {
    constructor(options: Options);
    readonly nodes: { toArray(): Node[]; count(): number };
    /** 'peer': one that a lookup found. 'announce': one that announced itself to us. */
    on(event: 'peer' | 'announce', listener: PeerListener): this;
    on(event: 'node', listener: () => void): this;
    on(event: 'error' | 'warning', listener: (error: Error) => void): this;
    listen(): void;
    /** Without `id` the node is pinged first. */
    addNode(node: Node): void;
    /** Reports what is found as 'peer' events; the callback follows the last answer, with the number of nodes that answered. */
    lookup(infoHash: Uint8Array, done: (error: Error | null, nodes: number) => void): void;
    /** To the nodes of the last lookup, which must be less than five minutes ago. */
    announce(infoHash: Uint8Array, port: number, done: (error: Error | null, nodes: number) => void): void;
    destroy(done: () => void): void;
  }
}
