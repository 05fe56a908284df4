// The figures of a proof: always shown as comments of the test, written to docs/proof.md only with --record.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

const DOCUMENT = fileURLToPath(new URL('../../../docs/proof.md', import.meta.url));
const PREFACE = `# Measured

Written by \`npm run proof -- --test-arg=--record\`. Figures are of one machine and one run: compare within a table only.
`;

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
export function report(t: Test, content: Report): void {
  const table = tableOf(content);
  for (const line of [content.title, ...table]) t.comment(line);
  if (process.argv.includes('--record')) record(content, table);
}

function record({ title, setup }: Report, table: readonly string[]): void {
  const machine = `${cpus().length} cores of ${cpus()[0]?.model.trim()}, Linux ${release()} ${arch()}, Node ${process.version}`;
  const day = new Date().toISOString().slice(0, 10);
  const section = [title, '', setup, `(${machine}; ${day})`, '', ...table, ''].join('\n');
  const [preface = PREFACE, ...sections] = existing().split(/^## /m);
  const kept = sections.filter(other => !other.startsWith(`${title}\n`));
  const all = [...kept, section].sort().map(text => `## ${text.trimEnd()}\n`);
  mkdirSync(dirname(DOCUMENT), { recursive: true });
  writeFileSync(DOCUMENT, [`${preface.trimEnd()}\n`, ...all].join('\n'));
}

function existing(): string {
  try {
    return readFileSync(DOCUMENT, 'utf8');
  } catch {
    return PREFACE;
  }
}
