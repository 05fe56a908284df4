// Lines of --json against docs/events.schema.json, as strictly as can be: where readers must bear fields they do not know, a
// test must not, or a field that nobody described would go unnoticed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { ROOT } from './root.js';

interface Schema {
  readonly definitions: Record<string, Schema>;
  readonly oneOf: readonly { readonly $ref: string }[];
  readonly properties?: object;
}

/** A line that was found to be right. */
export interface PrintedEvent {
  readonly v: number;
  readonly t: number;
  readonly event: string;
  readonly [field: string]: unknown;
}

const ID = 'events';
let validators: ReadonlyMap<unknown, ValidateFunction> | undefined;

/** The event in a line. Throws where it is none, with what is wrong with it. */
export function eventOf(line: string): PrintedEvent {
  const value: PrintedEvent = JSON.parse(line);
  validators ??= readSchema();
  const validate = validators.get(value.event);
  if (validate === undefined) throw new Error(`no event that docs/events.schema.json knows: ${line}`);
  if (validate(value)) return value;
  const wrong = (validate.errors ?? []).map(({ instancePath, message, params }) => {
    return `${instancePath || 'the line'} ${message} ${JSON.stringify(params)}`;
  });
  throw new Error(`not as docs/events.schema.json has it: ${line}\n${wrong.join('\n')}`);
}

/** Whether the line was written for machines; on stderr there are lines for people beside them. */
export function isJsonLine(line: string): boolean {
  return line.startsWith('{"v":');
}

/** The fields of an event, those that it may lack among them; undefined for one that nobody described. */
export function eventFields(event: string): string[] | undefined {
  const { properties } = describedEvents().definitions[event] ?? {};
  return properties && Object.keys(properties);
}

/** Watches what is written to a stream: a line of JSON that is no event goes to `complain`. */
export class LineWatch {
  #rest = '';
  readonly #complain: (why: string) => void;

  constructor(complain: (why: string) => void) {
    this.#complain = complain;
  }

  /** @param text bytes as characters (latin1), so that it can be cut anywhere */
  write(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!isJsonLine(line)) continue;
      try {
        eventOf(Buffer.from(line, 'latin1').toString());
      } catch (error) {
        this.#complain(String(error));
      }
    }
  }
}

function readSchema(): Map<unknown, ValidateFunction> {
  const schema = describedEvents();
  const ajv = new Ajv({ allErrors: true }).addSchema(schema, ID);
  const names = schema.oneOf.map(({ $ref }) => $ref.replace('#/definitions/', ''));
  return new Map(names.map(name => [name, ajv.getSchema(`${ID}#/definitions/${name}`)!]));
}

/** With no room for more. */
function describedEvents(): Schema {
  return JSON.parse(readFileSync(join(ROOT, 'docs/events.schema.json'), 'utf8'), (_key, value: unknown) =>
    isObjectSchema(value) ? { ...value, additionalProperties: false } : value,
  );
}

/** `properties` is a word of JSON Schema where it has fields of its own, else the name of a field. */
function isObjectSchema(value: unknown): value is { readonly properties: object } {
  return typeof value === 'object' && value !== null && 'properties' in value && 'type' in value;
}
