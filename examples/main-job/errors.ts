/** A mistake in the options or the input: told in one line, without a stack. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** The reason of a failed system call, without Node's repetition of the path. */
export function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'no such file or directory';
  if (code === 'EISDIR') return 'is a directory';
  if (code === 'EACCES') return 'permission denied';
  return message;
}
