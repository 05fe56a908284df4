// What a test saw, as a table: always shown as comments of the test, written to a document only with --record.

import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { inRepository } from './repository.js';

const DOCUMENTS = inRepository('docs');

/** A page below docs/, by name, and how it begins. */
const PREFACES = {
  proof: `# Measured

Written by \`npm run proof -- --test-arg=--record\`. Figures are of one machine and one run: compare within a table only.
`,
  interop: `# With other clients

Written by \`npm run test:interop -- --test-arg=--record\`: what one run of these tests saw. Each client runs in a network
namespace with an address of its own, on a network without a way out, over TCP, with neither local discovery nor peer
exchange; those that can encrypt are allowed to do without. Seconds are those of the download, from the start of the client
that fetches. Some wait by design: Transmission until its next round of unchoking, aria2 before it enters a DHT, and all for
nodes of the DHT that have left. Transmission 3.00 announces itself in a DHT a minute and a half after its start, so it is
met by trackers alone.
`,
} as const;

export type Document = keyof typeof PREFACES;

export interface Report {
  readonly title: string;
  /** What was done, in a sentence or two. */
  readonly setup: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function tableOf({ columns, rows }: Report): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)];
}

/** Shows the table, and records it in place of the one of the same title. */
export function report(t: Test, document: Document, content: Report): void {
  const table = tableOf(content);
  for (const line of [content.title, ...table]) t.comment(line);
  if (process.argv.includes('--record')) record(document, content, table);
}

function record(document: Document, { title, setup }: Report, table: readonly string[]): void {
  const machine = `${cpus().length} cores of ${cpus()[0]?.model.trim()}, Linux ${release()} ${arch()}, Node ${process.version}`;
  const day = new Date().toISOString().slice(0, 10);
  const section = [title, '', setup, `(${machine}; ${day})`, '', ...table, ''].join('\n');
  const path = join(DOCUMENTS, `${document}.md`);
  const [, ...sections] = existing(path).split(/^## /m);
  const kept = sections.filter(other => !other.startsWith(`${title}\n`));
  const all = [...kept, section].sort().map(text => `## ${text.trimEnd()}\n`);
  writeFileSync(path, [PREFACES[document], ...all].join('\n'));
}

function existing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
