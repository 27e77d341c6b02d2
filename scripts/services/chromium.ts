/** A Chromium for tests of pages: the one that `CHROMIUM=` names, or the machine's, or Debian's without a window. */
import { type Program, programOf } from './debian.js';

export function chromiumProgram(): Program | undefined {
  const asked = process.env.CHROMIUM;
  if (asked !== undefined) return { path: asked, env: process.env };
  return programOf([
    { name: 'chromium-headless-shell', program: '/usr/lib/chromium/chromium-headless-shell' },
    { name: 'chromium', program: '/usr/lib/chromium/chromium' },
  ]);
}
