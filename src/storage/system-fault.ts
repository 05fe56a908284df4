// What a system call said, fit to be sent from thread to thread.

export interface SystemFault {
  readonly message: string;
  readonly code: string | undefined;
  readonly errno: number | undefined;
}

/** Throws on what is no answer of the system: that is a bug of ours. */
export function faultOf(error: unknown): SystemFault {
  if (!(error instanceof Error)) throw error;
  const { message, code, errno }: NodeJS.ErrnoException = error;
  if (code === undefined) throw error;
  return { message, code, errno };
}

/** Whether this error or fault says that nothing is there. */
export function isAbsent(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return error.code === 'ENOENT' || error.code === 'ENOTDIR';
}

export function errorOf({ message, code, errno }: SystemFault): Error {
  return Object.assign(new Error(message), { code, errno });
}
