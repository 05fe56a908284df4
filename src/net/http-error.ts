// Why an HTTP exchange gave nothing, in words for the user. Knows no socket.

export type HttpErrorKind =
  | 'timeout'
  | 'refused'
  | 'too-many-redirects'
  | 'too-large'
  | 'bad-url'
  /** An address of this machine or its network that may not be asked for this. */
  | 'too-near'
  /** For callers who can do nothing with the status they got. */
  | 'status'
  | 'network'
  /** By the caller's signal, `destroy()` or `HttpClient.close()`. */
  | 'aborted';

/** The one error of the HTTP client; `message` fits behind `<what failed>: `. */
export class HttpError extends Error {
  readonly kind: HttpErrorKind;
  constructor(kind: HttpErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HttpError';
    this.kind = kind;
  }
}

const REASONS: Readonly<Record<string, readonly [HttpErrorKind, string]>> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  ECONNRESET: ['network', 'the server closed the connection'],
  EPIPE: ['network', 'the server closed the connection'],
  ETIMEDOUT: ['timeout', 'the server did not answer'],
  ENOTFOUND: ['network', 'the host was not found'],
  EAI_AGAIN: ['network', 'the host name could not be looked up'],
  EHOSTUNREACH: ['network', 'the host cannot be reached'],
  ENETUNREACH: ['network', 'the network cannot be reached'],
  EADDRNOTAVAIL: ['network', 'the local address cannot be used for it'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['network', 'its certificate is self-signed'],
  SELF_SIGNED_CERT_IN_CHAIN: ['network', 'its certificate is self-signed'],
  CERT_HAS_EXPIRED: ['network', 'its certificate has expired'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['network', 'its certificate is for another host'],
};

/** What a failed request or body means. Never throws, whatever was thrown. */
export function httpError(cause: unknown): HttpError {
  if (cause instanceof HttpError) return cause;
  // Several addresses were tried: the first that failed speaks for all.
  if (cause instanceof AggregateError && cause.errors.length > 0) return httpError(cause.errors[0]);
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const [kind, reason] = REASONS[code] ?? ['network', otherReason(code, cause)];
  return new HttpError(kind, reason, cause);
}

function otherReason(code: string, cause: unknown): string {
  if (code.startsWith('HPE_')) return 'it does not speak HTTP';
  if (code.startsWith('Z_') || code.startsWith('ERR_BROTLI') || code.startsWith('ERR__ERROR_'))
    return 'its compressed answer is damaged';
  return (cause instanceof Error && cause.message) || code || 'the connection failed';
}
