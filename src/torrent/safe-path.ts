// Makes the paths of a torrent safe to create on any file system, and distinct. Everything in a path is untrusted
// (BEP 3, BEP 52). Pure text: never looks at a disk, gives the same paths on every platform.

import { LIMITS } from './limits.js';
import { quoted, UNPRINTABLE } from './text.js';

export interface RawFile {
  /** Path components below the torrent's name, as the torrent has them. */
  readonly path: readonly string[];
  /** A pad file (BEP 47) is never written, so it may share its path with others, as many do. */
  readonly pad: boolean;
}

export interface SafePaths {
  /** Of each file in order; the first component is the torrent's name. */
  readonly paths: readonly (readonly string[])[];
  readonly warnings: readonly string[];
}

/** Names that Windows gives to devices, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)/i;

/** What needs no second look: printable ASCII without separators, drive colons and trailing dots or spaces. */
const ORDINARY = /^[A-Za-z0-9_()[\]+,;=@#%&'~!$^-][A-Za-z0-9 _.()[\]+,;=@#%&'~!$^-]{3,83}(?<![. ])$/;

const ASCII = /^[ -~]*$/;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * One path component made safe, at most 255 bytes; empty when nothing is left of it, as of `..`. Separators, controls
 * and invisible characters become `_`, device names get a `_` in front, trailing dots and spaces become `_`. Names of
 * three dots or more are only odd and stay.
 */
export function safeComponent(text: string): string {
  if (ORDINARY.test(text) && !DEVICE.test(text)) return text;
  if (text === '.' || text === '..') return '';
  let safe = text.replace(UNPRINTABLE, '_').replace(/[/\\]/g, '_');
  safe = safe.replace(/^([A-Za-z]):/, '$1_');
  if (DEVICE.test(safe)) safe = `_${safe}`;
  const [stem, extension] = splitExtension(safe);
  safe = cut(stem, LIMITS.pathComponentBytes - byteLength(extension)) + extension;
  return /^\.{3,}$/.test(safe) ? safe : safe.replace(/[. ]+$/, tail => '_'.repeat(tail.length));
}

/**
 * Paths of a torrent that is a folder. Each file keeps a path of its own, also on file systems that fold case or
 * normalize (NFC, NFD), and none is also the folder of another: the later one gets `.1` before its extension.
 * @param name the torrent's name, safe already
 */
export function safePaths(name: string, files: readonly RawFile[]): SafePaths {
  const changes = new Changes();
  const paths = files.map(file => {
    const path = safePath(name, file.path);
    if (!file.pad) changes.note(file.path, path);
    return path;
  });
  const tree = new Tree();
  const folders = new Uint32Array(files.length);
  for (const [index, path] of paths.entries()) if (!files[index]?.pad) folders[index] = tree.folderOf(path);
  for (const [index, path] of paths.entries()) {
    if (files[index]?.pad) continue;
    const last = path.pop() ?? '_';
    const own = tree.claim(folders[index] as number, last);
    if (own !== last) changes.noteCollision([...path, last], own);
    path.push(own);
  }
  return { paths, warnings: changes.warnings() };
}

function safePath(name: string, components: readonly string[]): string[] {
  const path = [name];
  for (const component of components) {
    const safe = safeComponent(component);
    if (safe !== '') path.push(safe);
  }
  if (path.length === 1) path.push('_');
  // Too long for the system as a whole: the folders between are what can be spared.
  if (path.reduce((sum, part) => sum + byteLength(part) + 1, 0) > LIMITS.pathBytes)
    path.splice(1, path.length - 2);
  return path;
}

/** The torrent's folder as the least capable file system would see it. */
class Tree {
  /** Folder number and folded name -> number of a folder, or FILE. */
  readonly #children = new Map<string, number>();
  /** Folder number and folded name without number -> the next number to try. */
  readonly #nextNumber = new Map<string, number>();
  #folders = 0;

  /** Number of the folder that holds the last component of this path, made where it is not there yet. */
  folderOf(path: readonly string[]): number {
    let folder = 0;
    for (let depth = 1; depth < path.length - 1; depth++) {
      const key = `${folder}/${fold(path[depth] as string)}`;
      const known = this.#children.get(key);
      folder = known ?? ++this.#folders;
      if (known === undefined) this.#children.set(key, folder);
    }
    return folder;
  }

  /** Takes this name in this folder for a file, or else the first free one with a number; returns what was taken. */
  claim(folder: number, name: string): string {
    if (this.#take(folder, name)) return name;
    const [whole, extension] = splitExtension(name);
    const stem = cut(whole, LIMITS.pathComponentBytes - byteLength(extension) - NUMBER_BYTES);
    // One count for each series of names, so that a million equal names take a million steps, not their square.
    const series = `${folder}/${fold(stem)}/${fold(extension)}`;
    for (let number = this.#nextNumber.get(series) ?? 1; ; number++) {
      const numbered = `${stem}.${number}${extension}`;
      if (!this.#take(folder, numbered)) continue;
      this.#nextNumber.set(series, number + 1);
      return numbered;
    }
  }

  #take(folder: number, name: string): boolean {
    const key = `${folder}/${fold(name)}`;
    if (this.#children.has(key)) return false;
    this.#children.set(key, FILE);
    return true;
  }
}

const FILE = 0;
/** Room for a dot and any number that a million files can need. */
const NUMBER_BYTES = 8;

/** Counts what was changed and words the first few. */
class Changes {
  readonly #listed: string[] = [];
  #unlisted = 0;

  note(raw: readonly string[], path: readonly string[]): void {
    if (raw.length === path.length - 1 && raw.every((part, index) => part === path[index + 1])) return;
    this.#add(() => `unsafe name ${quoted(raw.join('/'))}: written as ${quoted(path.join('/'))}`);
  }

  noteCollision(path: readonly string[], own: string): void {
    this.#add(() => `two files share the name ${quoted(path.join('/'))}: one is written as ${quoted(own)}`);
  }

  warnings(): string[] {
    if (this.#unlisted === 0) return this.#listed;
    const more = this.#unlisted === 1 ? '1 more name was' : `${this.#unlisted} more names were`;
    return [...this.#listed, `${more} changed in the same way`];
  }

  #add(words: () => string): void {
    if (this.#listed.length < LIMITS.nameWarnings) this.#listed.push(words());
    else this.#unlisted++;
  }
}

/** The same text for all names that some file system takes for one: by case and by normalization. */
function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return text.normalize('NFD').toUpperCase().toLowerCase().normalize('NFD');
}

/** The name before its extension, and the extension with its dot; one of more than 20 characters is none. */
function splitExtension(name: string): readonly [string, string] {
  const dot = name.lastIndexOf('.');
  return dot <= 0 || name.length - dot > 20 ? [name, ''] : [name.slice(0, dot), name.slice(dot)];
}

/** At most so many bytes from the start of the text, whole characters only. */
function cut(text: string, limitBytes: number): string {
  if (text.length * 3 <= limitBytes) return text;
  const bytes = encoder.encode(text);
  if (bytes.length <= limitBytes) return text;
  let end = limitBytes;
  while (((bytes[end] as number) & 0xc0) === 0x80) end--;
  return decoder.decode(bytes.subarray(0, end));
}

function byteLength(text: string): number {
  return ASCII.test(text) ? text.length : encoder.encode(text).length;
}
