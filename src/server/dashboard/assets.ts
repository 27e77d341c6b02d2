import { readFileSync } from 'node:fs';

/** The page and what it loads, as files of the package: nothing else is ever read, whatever a request asks for. */
const NAMES = [
  'index.html',
  'style.css',
  'main.js',
  'chart.js',
  'format.js',
  'hottest.js',
  'panels.js',
  'series.js',
  'stream.js',
] as const;

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
} as const;

export interface Asset {
  readonly contentType: string;
  readonly body: Buffer;
}

/** By path. They are read once, when a server starts. */
export function readAssets(): ReadonlyMap<string, Asset> {
  const folder = new URL('src/server/dashboard/assets/', import.meta.resolve('mooncake-cache/package.json'));
  return new Map(
    NAMES.map((name) => {
      const contentType = TYPES[name.split('.')[1] as keyof typeof TYPES];
      return [
        name === 'index.html' ? '/' : `/dashboard/${name}`,
        { contentType, body: readFileSync(new URL(name, folder)) },
      ];
    }),
  );
}
