// A summary as text for a terminal.

import type { Metric, Scenario } from './scenario.js';
import type { CaseSummary, ContestantSummary, Summary } from './summary.js';

export function tableOf(scenario: Scenario, summary: Summary): string {
  const parts = summary.cases.flatMap(ofCase => [
    `${scenario.name}, ${ofCase.title}: median (minimum to maximum)`,
    figures(scenario.metrics, ofCase),
    ...ratios(ofCase),
  ]);
  if (summary.growth.length > 0) parts.push(growth(summary));
  return `${parts.join('\n\n')}\n`;
}

function figures(metrics: readonly Metric[], { contestants }: CaseSummary): string {
  const shown = metrics.filter(({ title }) =>
    contestants.some(({ figures }) => figures.some(({ metric }) => metric === title)),
  );
  const rows = contestants.map(contestant => [
    contestant.name,
    ...shown.map(metric => cell(metric, contestant)),
  ]);
  return aligned([['client', ...shown.map(({ title }) => title)], ...rows]);
}

function cell({ title, digits }: Metric, { figures }: ContestantSummary): string {
  const figure = figures.find(({ metric }) => metric === title);
  if (figure === undefined) return '-';
  const text = (value: number): string => value.toFixed(digits);
  return `${text(figure.median)} (${text(figure.min)} to ${text(figure.max)})`;
}

function ratios({ ratios }: CaseSummary): string[] {
  if (ratios.length === 0) return [];
  const against = [...new Set(ratios.map(ratio => ratio.against))];
  const metrics = [...new Set(ratios.map(({ metric }) => metric))];
  const rows = metrics.map(metric => [
    metric,
    ...against.map(name => {
      const found = ratios.find(ratio => ratio.metric === metric && ratio.against === name);
      return found === undefined ? '-' : found.ratio.toFixed(2);
    }),
  ]);
  return [aligned([['ours divided by that of', ...against], ...rows])];
}

function growth({ growth }: Summary): string {
  const rows = growth.map(({ title, contestant, from, to, ratio }) => [
    title,
    contestant,
    from.toFixed(2),
    to.toFixed(2),
    ratio.toFixed(2),
  ]);
  return aligned([['growth', 'client', 'from', 'to', 'ratio'], ...rows]);
}

/** The first column to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) =>
        column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join('  ');
  return rows.map(line).join('\n');
}
