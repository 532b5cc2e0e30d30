/** The last good copy: what a source said last, on disk, for a start while the store is away. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Flags } from '../../../js/src/flags.js';
import { ask, begin, nameOf, sourceOf } from '../../../js/src/sync/asking.js';
import type { Fetch, Source } from '../../../js/src/sync/source.js';
import { reason } from './file.js';

const UNFINISHED = '.tmp';
/** Nobody writes a copy for so long. */
const ABANDONED_MS = 60_000;

/**
 * Another source, of which the last good answer is kept in a file and published first at the next start. The copy's
 * folder must exist; the file need not.
 *
 * The file is replaced as a whole (written beside it, flushed to the disk, renamed), so that whoever reads it, and
 * whatever dies in between, finds the old copy or the new one. It is checked when it is written and when it is read.
 */
export function saved(source: Source | Fetch, path: string | URL): Source {
  const inner = sourceOf(source);
  const name = typeof path === 'string' ? path : fileURLToPath(path);
  /** The revision of the copy. */
  let revision: number | null = null;
  const warn = (what: string, problem: unknown): void => console.warn(`esclusa: the copy \`${name}\` cannot be ${what}: ${reason(problem)}`);

  const made: Source = {
    name: nameOf(inner),
    async fetch(request) {
      const answer = await ask(inner, request);
      if (!('esclusa' in answer) && !request.signal.aborted) {
        try {
          const check = new Flags();
          await check.publish(answer.bytes).then(async () => {
            const isOlder = revision !== null && check.revision !== null && check.revision < revision;
            if (!isOlder) {
              await save(name, answer.bytes);
              revision = check.revision;
            }
          }, () => undefined);
          check.free();
        } catch (problem) {
          // The answer is good all the same.
          warn('written', problem);
        }
      }
      return answer;
    },
    toBeginWith() {
      try {
        const bytes = readFileSync(name);
        const check = new Flags();
        check.publishSync(bytes);
        revision = check.revision;
        check.free();
        return bytes;
      } catch (problem) {
        if ((problem as { code?: unknown }).code !== 'ENOENT') {
          warn('used', problem);
        }
      }
      return begin(inner);
    },
  };
  return inner.watch === undefined ? made : { ...made, watch: (tell) => inner.watch?.(tell) };
}

/** Replaces the file as a whole. */
async function save(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  const prefix = `.${basename(path)}.`;
  await sweep(folder, prefix);
  const unfinished = join(folder, `${prefix}${randomUUID()}${UNFINISHED}`);
  try {
    const file = await open(unfinished, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (problem) {
    await rm(unfinished, { force: true });
    throw problem;
  }
  // The new name is safe only when the folder is on the disk too; not every system can do that.
  await open(folder, 'r').then(async (opened) => opened.sync().finally(() => opened.close())).catch(() => undefined);
}

/** Removes what processes that were killed in the middle of writing left behind. */
async function sweep(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(prefix) && name.endsWith(UNFINISHED)) {
      const file = join(folder, name);
      const isAbandoned = await stat(file).then(({ mtimeMs }) => Date.now() - mtimeMs > ABANDONED_MS, () => false);
      if (isAbandoned) {
        await rm(file, { force: true });
      }
    }
  }
}
