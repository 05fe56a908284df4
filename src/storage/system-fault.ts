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

export function errorOf({ message, code, errno }: SystemFault): Error {
  return Object.assign(new Error(message), { code, errno });
}
