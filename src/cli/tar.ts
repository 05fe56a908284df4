// A tar archive of files that come one after the other (POSIX.1-2001, pax): the same files give the same bytes.

/** Bytes of a header and of what contents are padded to. */
const RECORD = 512;
/** What a header has room for: bytes of a name, and the length of a file in eleven octal digits. */
const NAME_BYTES = 100;
const MOST_LENGTH = 0o77777777777;
const FILE = '0';
const PAX = 'x';

export interface TarFile {
  /** With `/` between the components. */
  readonly path: string;
  /** Bytes. */
  readonly length: number;
}

/** Writes bytes; with false where nobody reads any more. */
export type Write = (bytes: Uint8Array) => Promise<boolean>;

/** Takes the contents of all files as one run of bytes, and puts headers before each file. */
export class TarWriter {
  readonly #files: readonly TarFile[];
  readonly #write: Write;
  #at = -1;
  /** Bytes that the present file still lacks. */
  #left = 0;

  constructor(files: readonly TarFile[], write: Write) {
    this.#files = files;
    this.#write = write;
  }

  /** The next bytes of the contents. */
  async write(bytes: Uint8Array): Promise<boolean> {
    for (let from = 0; from < bytes.length; ) {
      while (this.#left === 0) if (!(await this.#next())) return false;
      const part = bytes.subarray(from, from + this.#left);
      if (!(await this.#write(part))) return false;
      from += part.length;
      this.#left -= part.length;
    }
    return true;
  }

  /** All contents were written: the files that have none, and the end. */
  async end(): Promise<boolean> {
    while (this.#at < this.#files.length) if (!(await this.#next())) return false;
    return this.#write(new Uint8Array(2 * RECORD));
  }

  /** Fills up the last file and begins the next one, if there is one. */
  async #next(): Promise<boolean> {
    const last = this.#files[this.#at];
    const file = this.#files[++this.#at];
    this.#left = file?.length ?? 0;
    const bytes = Buffer.concat([
      new Uint8Array(last ? padding(last.length) : 0),
      ...(file ? heads(file) : []),
    ]);
    return bytes.length === 0 || this.#write(bytes);
  }
}

/** The header of a file, behind one with what that has no room for. */
function heads({ path, length }: TarFile): Uint8Array[] {
  const name = Buffer.from(path);
  const isPlain = name.length <= NAME_BYTES && name.every(byte => byte < 0x80);
  const records = [
    ...(isPlain ? [] : [paxRecord('path', path)]),
    ...(length <= MOST_LENGTH ? [] : [paxRecord('size', `${length}`)]),
  ];
  const plain = isPlain ? path : 'name-in-pax-header';
  const head = header(plain, Math.min(length, MOST_LENGTH), FILE);
  if (records.length === 0) return [head];
  const body = Buffer.from(records.join(''));
  return [header('PaxHeader', body.length, PAX), body, new Uint8Array(padding(body.length)), head];
}

/** `25 path=…\n`: the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  const digits = `${bytes + `${bytes}`.length}`.length;
  return `${bytes + digits}${rest}`;
}

/** One header: a plain file of nobody, of the beginning of time. */
function header(name: string, length: number, type: string): Uint8Array {
  const head = Buffer.alloc(RECORD);
  const octal = (value: number, at: number, digits: number) =>
    head.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  head.write(name, 0, 'latin1');
  octal(0o644, 100, 7); // mode
  octal(0, 108, 7); // uid
  octal(0, 116, 7); // gid
  octal(length, 124, 11);
  octal(0, 136, 11); // mtime
  head.write('        ', 148, 'latin1'); // the checksum counts itself as spaces
  head.write(type, 156, 'latin1');
  head.write('ustar\x0000', 257, 'latin1');
  octal(
    head.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  head[154] = 0;
  return head;
}

function padding(length: number): number {
  return (RECORD - (length % RECORD)) % RECORD;
}
