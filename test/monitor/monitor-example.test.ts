import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { parsePrometheus } from './prometheus-parser.js';

t.test('the monitoring example asserts its own result and writes three files', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mooncake-example-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const script = fileURLToPath(new URL('../../examples/monitoring.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, folder], { timeout: 60_000 });
  t.match(stdout, 'Wrote latencies.hlog');
  t.ok(parsePrometheus(readFileSync(join(folder, 'metrics.txt'), 'utf8')).size > 50);
  t.match(readFileSync(join(folder, 'latencies.hlog'), 'utf8'), 'Tag=get.hit,');
  t.match(readFileSync(join(folder, 'report.html'), 'utf8'), '<title>Pages</title>');
});
