// Prints the format of a line of --json as a JSON Schema, made from the types that the program is checked against:
// `npm run docs:events` writes it to docs/events.schema.json.

import { createGenerator } from 'ts-json-schema-generator';

const { definitions } = createGenerator({
  path: 'src/engine/events.ts',
  tsconfig: 'tsconfig.json',
  // tsc has checked them
  skipTypeCheck: true,
  // there may be more fields one day, and readers must bear them
  additionalProperties: true,
}).createSchema('*');

/** A line, with the comment of its event. */
function lineOf({ properties, required }) {
  const event = properties.event.const;
  const { description } = Object.values(definitions).find(
    ({ properties }) => properties?.event?.const === event,
  );
  const { v, t, event: kind, source, infoHash, ...fields } = properties;
  return [
    event,
    { description, type: 'object', properties: { v, t, event: kind, source, infoHash, ...fields }, required },
  ];
}

/** Definitions that `schema` refers to, directly or by way of others, with their names. */
function referredTo(schema, found = {}) {
  for (const [, name] of JSON.stringify(schema).matchAll(/"#\/definitions\/(\w+)"/g)) {
    if (name in found) continue;
    found[name] = definitions[name];
    referredTo(definitions[name], found);
  }
  return found;
}

const lines = Object.fromEntries(definitions.EventLine.anyOf.map(lineOf));
const schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'rarest --json',
  description:
    'One line. Which of the definitions it is is said by `event`. Kinds of events and fields may be added, so ignore what you do not know; nothing is taken away, and no field changes its type or unit.',
  oneOf: Object.keys(lines).map(event => ({ $ref: `#/definitions/${event}` })),
  definitions: { ...lines, ...referredTo(lines) },
};
process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
