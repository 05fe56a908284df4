// Text as torrents and links bring it: bytes that may not be UTF-8 and characters that must not reach a terminal or a
// file name.

const LENIENT = new TextDecoder('utf-8', { ignoreBOM: true });
const STRICT = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/**
 * Controls (C0, DEL, C1), line separators, and characters that are invisible or turn the direction of what follows:
 * they can hide or forge what a user reads. The joiners U+200C and U+200D stay, some scripts and emoji need them.
 */
export const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** The text of UTF-8 bytes; what is not UTF-8, overlong forms included, becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return LENIENT.decode(bytes);
}

/** The text of UTF-8 bytes, or undefined when they are anything else. */
export function decodeStrictUtf8(bytes: Uint8Array): string | undefined {
  try {
    return STRICT.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The same text on one line, safe to show on a terminal. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, ' ').trim();
}

/** For messages: printable, in quotes, at most about 100 characters. */
export function quoted(text: string): string {
  const shown = printable(text.slice(0, 400));
  return shown.length > 100 || text.length > 400 ? `"${shown.slice(0, 99)}…"` : `"${shown}"`;
}
