// A result as a picture: bars for each metric and case, with a whisker from minimum to maximum. Plain SVG.

import { FLOOR, FLOOR_WORKER, OURS } from './clients.js';
import type { Result } from './results.js';
import type { Metric } from './scenario.js';
import type { ContestantSummary } from './summary.js';

const WIDTH = 720;
const LABELS = 170;
const VALUES = 130;
const ROW = 22;
const BAR = 14;
const TITLE = 30;
const MARGIN = 16;
const COLOURS = { ours: '#1f6feb', floor: '#9aa4af', peer: '#d4a72c', whisker: '#24292f' };
const FONT = 'font-family="system-ui, sans-serif" font-size="13"';

interface Bar {
  readonly name: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function chartOf(result: Result, metrics: readonly Metric[]): string {
  const lines: string[] = [];
  let y = MARGIN + TITLE;
  for (const { title, contestants } of result.cases) {
    for (const metric of metrics) {
      const bars = contestants.flatMap(contestant => barOf(contestant, metric));
      if (bars.length === 0) continue;
      const better = metric.better === 'less' ? 'less is better' : 'more is better';
      lines.push(text(MARGIN, y + 12, `${title}: ${metric.title} (${better})`, 'font-weight="600"'));
      y += TITLE - 8;
      const scale = (WIDTH - LABELS - VALUES) / Math.max(...bars.map(({ max }) => max), Number.MIN_VALUE);
      for (const bar of bars) {
        lines.push(...drawn(bar, metric, scale, y));
        y += ROW;
      }
      y += MARGIN;
    }
  }
  const head = `${result.scenario}: ${result.about}`;
  const foot = `${result.machine}; Node ${result.node}; size ${result.size}, ${result.rounds} rounds; ${result.date.slice(0, 10)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + MARGIN}" viewBox="0 0 ${WIDTH} ${y + MARGIN}" ${FONT}>`,
    `<rect width="100%" height="100%" fill="white"/>`,
    text(MARGIN, MARGIN + 6, head, 'font-weight="600"'),
    ...lines,
    text(MARGIN, y + 4, foot, `font-size="10" fill="${COLOURS.whisker}"`),
    '</svg>',
    '',
  ].join('\n');
}

function barOf({ name, figures }: ContestantSummary, { title }: Metric): Bar[] {
  const figure = figures.find(({ metric }) => metric === title);
  return figure === undefined ? [] : [{ name, ...figure }];
}

function drawn({ name, median, min, max }: Bar, { digits }: Metric, scale: number, y: number): string[] {
  const middle = y + ROW / 2;
  const end = (value: number): string => (LABELS + Math.max(0, value) * scale).toFixed(1);
  const width = (Math.max(0, median) * scale).toFixed(1);
  const top = middle - BAR / 2;
  return [
    text(LABELS - 8, middle + 4, name, 'text-anchor="end"'),
    `<rect x="${LABELS}" y="${top}" width="${width}" height="${BAR}" fill="${colourOf(name)}"/>`,
    `<path d="M${end(min)} ${middle}H${end(max)}" stroke="${COLOURS.whisker}" stroke-width="1.5"/>`,
    text(WIDTH - VALUES + 10, middle + 4, median.toFixed(digits)),
  ];
}

function colourOf(name: string): string {
  if (name === OURS) return COLOURS.ours;
  return name === FLOOR || name === FLOOR_WORKER ? COLOURS.floor : COLOURS.peer;
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replace(/[&<>]/g, sign => ({ '&': '&amp;', '<': '&lt;' })[sign] ?? '&gt;');
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}
