/** The cached copy: the last good answer of a source, on disk, for a start while the store is down. */
import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Flags } from '../../../js/src/held.js';
import { MAX_SNAPSHOT_BYTES } from '../../../js/src/limit.js';
import type { MappedOptions } from '../../../js/src/mapping.js';
import { ask, begin, mappedByOf, nameOf, polledOf, sourceOf } from '../../../js/src/sync/asking.js';
import { decide } from '../../../js/src/sync/decide.js';
import type { Fetch, Source } from '../../../js/src/sync/source.js';
import { reason } from './file.js';

const UNFINISHED = '.tmp';
/** A live process never has an unfinished copy for this long. */
const ABANDONED_MS = 60_000;

/**
 * A source whose last good answer is kept in a file and published first at the next start. The copy's folder must
 * exist; the file need not.
 *
 * The file is written in the background and never delays an answer. It is replaced as a whole (written to a temporary
 * file, flushed to the disk, renamed), so that a reader finds the old copy or the new one. Several processes may share
 * it: only an answer whose revision is not older replaces a copy [11.23].
 */
export function cached(source: Source | Fetch, path: string | URL): Source {
  const inner = sourceOf(source);
  const name = typeof path === 'string' ? path : fileURLToPath(path);
  const reading: MappedOptions = { mapping: inner.translation };
  const warn = (what: string, problem: unknown): void => console.warn(`esclusa: the copy \`${name}\` cannot be ${what}: ${reason(problem)}`);
  /** The next copy to write; if the disk hangs, one write hangs, and the newest copy waits. */
  let next: Uint8Array | undefined;
  let isWriting = false;
  const write = async (): Promise<void> => {
    isWriting = true;
    for (let bytes = next; bytes !== undefined; bytes = next) {
      next = undefined;
      await saveNewer(name, bytes, reading).catch((problem: unknown) => warn('written', problem));
    }
    isWriting = false;
  };

  const made: Source = {
    name: nameOf(inner),
    translation: inner.translation ?? null,
    get mappedBy() {
      return mappedByOf(inner);
    },
    get polled() {
      return polledOf(inner);
    },
    async fetch(request) {
      const answer = await ask(inner, request);
      if (!('esclusa' in answer) && !request.signal.aborted) {
        next = answer.bytes;
        if (!isWriting) {
          void write();
        }
      }
      return answer;
    },
    bootstrap() {
      try {
        const look = statSync(name);
        if (!look.isFile() || look.size > MAX_SNAPSHOT_BYTES) {
          throw new Error(look.isFile() ? `it has ${look.size} bytes, expected at most ${MAX_SNAPSHOT_BYTES}` : IRREGULAR);
        }
        const bytes = readFileSync(name);
        revisionOf(bytes, reading);
        return bytes;
      } catch (problem) {
        if ((problem as { code?: unknown }).code !== 'ENOENT') {
          warn('used', problem);
        }
      }
      return begin(inner);
    },
  };
  if (inner.watch !== undefined) {
    made.watch = (tell) => inner.watch?.(tell);
  }
  return made;
}

const IRREGULAR = 'it is not a regular file, expected one';

/** The revision of a valid snapshot; throws for any other. */
function revisionOf(bytes: Uint8Array, reading: MappedOptions): number | null {
  const check = new Flags();
  try {
    check.publishSync(bytes, reading);
    return check.revision;
  } finally {
    check.free();
  }
}

/** Saves a snapshot that can be published, unless the present copy is newer. */
async function saveNewer(path: string, bytes: Uint8Array, reading: MappedOptions): Promise<void> {
  const check = new Flags();
  let revision: number | null;
  try {
    await check.publish(bytes, reading);
    revision = check.revision;
  } catch {
    return;
  } finally {
    check.free();
  }
  // A rename would remove a pipe or a device for every other program.
  if (await stat(path).then((found) => !found.isFile(), () => false)) {
    throw new Error(IRREGULAR);
  }
  await save(path, bytes, async () => {
    let known: number | null = null;
    try {
      const before = await readFile(path);
      if (Buffer.compare(before, bytes) === 0) {
        return false;
      }
      known = revisionOf(before, reading);
    } catch {
      // There is no copy, or it cannot be used.
    }
    return decide({ decide: 'save', saved: known, new: revision }) === true;
  });
}

/** Replaces the file as a whole, if it may be replaced: that is checked last, right before the rename, because Node has no lock for files. */
export async function save(path: string, bytes: Uint8Array, mayReplace: () => Promise<boolean>): Promise<void> {
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
    if (!(await mayReplace())) {
      await rm(unfinished, { force: true });
      return;
    }
    await rename(unfinished, path);
  } catch (problem) {
    await rm(unfinished, { force: true });
    throw problem;
  }
  // The new name is durable only once the folder is flushed; not every system can do that.
  await open(folder, 'r').then(async (opened) => opened.sync().finally(() => opened.close())).catch(() => undefined);
}

/** Removes the temporary files of processes that were killed while writing. */
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
