// A process that is frozen between calls, as functions are: `ready` waits for a new answer after that.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const PROGRAM = `
  import { createInterface } from 'node:readline';
  import { readFileSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { Flags } from '@esclusa/node';
  const [delay, thawMs] = process.argv.slice(1);
  let revision = 0;
  const store = async () => {
    await sleep(Number(readFileSync(delay, 'utf8')));
    return JSON.stringify({ esclusa: 1, revision, flags: [{ name: 'crm', enabled: revision < 2 }] });
  };
  const flags = Flags.fromSource(store, { intervalMs: 300, jitter: 0, thawMs: Number(thawMs), logger: null });
  await flags.ready(60_000);
  for await (const _ of createInterface({ input: process.stdin })) {
    revision += 1;
    const began = performance.now();
    const isReady = await flags.ready(60_000);
    const { state, lastError } = flags.status();
    console.log(JSON.stringify({ isReady, is_on: flags.isEnabled('crm'), state, error: lastError?.error ?? null, waited: performance.now() - began }));
  }`;

for (const [what, slowMs, thawMs, expected] of [
  ['waits for the answer', 300, 30_000, { isReady: true, is_on: false, state: 'fresh', error: null }],
  ['waits no longer than it is told, and the status says so', 30_000, 300, { isReady: true, is_on: true, state: 'failing', error: 'the process was frozen, and there was no answer within 0.3 s after that' }],
  ['waits for nothing unless it is told to', 300, 0, { isReady: true, is_on: true, error: null }],
]) {
  test(`after a thaw ready ${what}`, { skip: process.platform === 'win32' && 'this system freezes no process' }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'esclusa-'));
    t.after(() => rmSync(folder, { recursive: true, maxRetries: 10 }));
    const delay = join(folder, 'delay');
    writeFileSync(delay, '0');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM, delay, String(thawMs)], { cwd: new URL('.', import.meta.url), stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const said = async () => JSON.parse((await lines.next()).value);
    child.stdin.write('\n');
    assert.equal((await said()).is_on, true);
    child.kill('SIGSTOP');
    writeFileSync(delay, String(slowMs));
    // Frozen for longer than the interval and what a timer may be late; nothing else is waited for.
    await sleep(2_000);
    child.stdin.write('\n');
    child.kill('SIGCONT');
    const { waited, state, ...answer } = await said();
    const { state: wanted = state, ...rest } = expected;
    assert.deepEqual({ ...answer, state }, { ...rest, state: wanted });
    assert.ok(waited < 20_000, `${waited}`);
  });
}
