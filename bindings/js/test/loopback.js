// The servers of `esclusa-loopback`, which misbehave on command, and waiting for what comes of it.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const PROGRAM = process.env.ESCLUSA_LOOPBACK;

/** For a test that needs the program: why it is left out without it. */
export const skip = PROGRAM === undefined && 'the variable ESCLUSA_LOOPBACK does not say where `esclusa-loopback` is';

/** Short intervals: the store is on the same machine and has no other client. */
export const QUICK = { intervalMs: 50, jitter: 0, staleAfterMs: 30_000, backoffMinMs: 20, backoffMaxMs: 50, spreadMs: 10, logger: null };

/** A snapshot with these flags, on or off. */
export function document(revision, flags) {
  return JSON.stringify({ esclusa: 1, revision, flags: Object.entries(flags).map(([name, enabled]) => ({ name, enabled })) });
}

/** Waits until it is so; that it never is fails the test. */
export async function until(what, seconds = 60) {
  const end = performance.now() + seconds * 1000;
  while (!(await what())) {
    assert.ok(performance.now() < end, `it is not so, and was given time enough: ${what}`);
    await sleep(5);
  }
}

/** What faults there are, and what they are made for. */
export function table() {
  if (skip) {
    return { faults: [], timeout_ms: 500, max_bytes: 1 << 20 };
  }
  const { stdout } = spawnSync(PROGRAM, { input: '{"faults": true}\n', encoding: 'utf8' });
  return JSON.parse(stdout.split('\n')[1]);
}

/** The program, and where its servers are. */
export class Loopback {
  #program;
  #lines;

  static async start() {
    const made = new Loopback();
    made.#program = spawn(PROGRAM, { stdio: ['pipe', 'pipe', 'inherit'] });
    made.#lines = createInterface({ input: made.#program.stdout })[Symbol.asyncIterator]();
    Object.assign(made, JSON.parse((await made.#lines.next()).value));
    return made;
  }

  /** Has a command obeyed, and gives the answer. Commands are answered in their order. */
  async tell(command) {
    this.#program.stdin.write(`${JSON.stringify(command)}\n`);
    const answer = JSON.parse((await this.#lines.next()).value);
    assert.equal(answer.error, undefined);
    return answer;
  }

  async counts() {
    return (await this.tell({ counts: true })).counts;
  }

  async end() {
    const over = new Promise((resolve) => this.#program.once('exit', resolve));
    this.#program.stdin.end();
    await over;
  }
}
