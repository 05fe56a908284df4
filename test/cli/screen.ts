// A terminal just good enough to see what a person would: lines, the cursor, and the sequences that cli-progress sends.

// biome-ignore lint/suspicious/noControlCharactersInRegex: it reads them
const SEQUENCE = /\x1b\[(\??)(\d*)(?:;\d+)?([A-Za-z])/y;

/** The lines on the screen after all of `output` was written, without the empty ones at the end. */
export function screenOf(output: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  const line = () => lines[row] ?? '';
  for (let at = 0; at < output.length; ) {
    SEQUENCE.lastIndex = at;
    const match = SEQUENCE.exec(output);
    if (match !== null) {
      at = SEQUENCE.lastIndex;
      const count = Number(match[2] || 1);
      if (match[3] === 'A') row = Math.max(0, row - count);
      else if (match[3] === 'B') row += count;
      else if (match[3] === 'G') column = count - 1;
      else if (match[3] === 'K') lines[row] = match[2] === '2' ? '' : line().slice(0, column);
      else if (match[3] === 'J') {
        lines[row] = line().slice(0, column);
        lines.length = row + 1;
      }
      continue;
    }
    const char = output[at++] ?? '';
    if (char === '\n') {
      row++;
      column = 0;
      while (lines.length <= row) lines.push('');
    } else if (char !== '\x1b') {
      lines[row] = line().padEnd(column).slice(0, column) + char + line().slice(column + 1);
      column++;
    }
  }
  while (lines.at(-1) === '') lines.pop();
  return lines;
}
