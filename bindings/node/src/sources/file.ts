/** A snapshot in a file: a change is published within a moment, and what is half written never is. */
import { type FSWatcher, type Stats, readFileSync, statSync, watch as watchFolder } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { MAX_SNAPSHOT_BYTES } from '../../../js/src/limit.js';
import { Failure, NOT_MODIFIED, type Source } from '../../../js/src/sync/source.js';

/** How often the file is looked at besides being watched: a network file system tells nothing, and a folder may come later. */
const LOOK_EVERY_MS = 2_000;
/** A file that changed less than this ago may still be written; the clocks of file systems tick a few milliseconds. */
const SETTLED_MS = 30;
/** So many times a file may change while it is read before it counts as being written. */
const MAX_READS = 20;

/**
 * A snapshot in a file, which need not exist yet.
 *
 * Replace it by renaming another file over it, as `kubectl`, `rsync` and most deployment tools do. A file that is written
 * in place is read when it has come to rest, and what is no whole snapshot is not published.
 */
export function file(path: string | URL): Source {
  const name = typeof path === 'string' ? path : fileURLToPath(path);
  /** What the file looked like when it was looked at last. */
  let seen: string | null = null;
  return {
    name,
    async fetch({ etag, signal }) {
      try {
        for (let reads = 0; reads < MAX_READS && !signal.aborted; reads += 1) {
          const before = await stat(name, { bigint: false });
          if (!before.isFile()) {
            // A pipe would be waited for without end.
            throw new Failure(`\`${name}\`: it is not a regular file, expected one`);
          }
          const tag = (seen = tagOf(before));
          if (etag === tag) {
            return NOT_MODIFIED;
          }
          if (isSettling(before)) {
            await sleep(SETTLED_MS, undefined, { ref: false });
            continue;
          }
          if (before.size > MAX_SNAPSHOT_BYTES) {
            throw new Failure(`\`${name}\` has ${before.size} bytes, expected at most ${MAX_SNAPSHOT_BYTES}`);
          }
          const bytes = await readFile(name);
          if (tagOf(await stat(name)) === tag) {
            return { bytes, etag: tag };
          }
        }
      } catch (problem) {
        seen = null;
        throw problem instanceof Failure ? problem : new Failure(`\`${name}\`: ${reason(problem)}`);
      }
      throw new Failure(`\`${name}\` changes without end, expected it to come to rest`);
    },
    watch(tell) {
      let folder: FSWatcher | undefined;
      const look = async (): Promise<void> => {
        const now = await stat(name).then(tagOf, () => null);
        // A file that is gone is news too: the status should not say for an interval that all is well.
        if (now !== seen) {
          seen = now;
          tell('changed');
        }
      };
      const begin = (): void => {
        try {
          // The folder: a file that is replaced is another file, and a watch would stay with the old one.
          folder = watchFolder(dirname(name), { persistent: false }, (_, changed) => {
            // A folder of Kubernetes changes its content by renaming `..data`, which the file points into.
            if (changed === null || changed === basename(name) || changed === '..data') {
              void look();
            }
          });
          folder.on('error', end);
        } catch {
          // It is looked at.
        }
      };
      const end = (): void => {
        folder?.close();
        folder = undefined;
      };
      const looking = setInterval(() => {
        if (folder === undefined) {
          begin();
        }
        void look();
      }, LOOK_EVERY_MS).unref();
      begin();
      return () => {
        clearInterval(looking);
        end();
      };
    },
    bootstrap() {
      try {
        const look = statSync(name);
        if (!look.isFile()) {
          return null;
        }
        if (isSettling(look)) {
          // What was written a moment ago is there before this returns; what may still be written is read again.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SETTLED_MS);
        }
        return readFileSync(name);
      } catch {
        return null;
      }
    },
  };
}

/** What tells one content of a file from the next: the time of the last change alone would miss one within the same tick. */
function tagOf({ mtimeMs, ctimeMs, size, ino }: Stats): string {
  return `${mtimeMs}-${ctimeMs}-${size}-${ino}`;
}

/** Whether the file changed so lately that it may be changed again within the same tick of the clock. */
function isSettling({ mtimeMs }: Stats): boolean {
  const age = Date.now() - mtimeMs;
  return age >= 0 && age < SETTLED_MS;
}

/** An error of the file system in words, without the path again. */
export function reason(problem: unknown): string {
  const { message, code } = problem as { message?: unknown; code?: unknown };
  return typeof message === 'string' ? message.replace(/, \w+ '.*$/s, '') : String(code ?? problem);
}
