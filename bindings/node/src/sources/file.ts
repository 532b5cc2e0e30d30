/** A snapshot in a file: a change is published within a moment, and a half-written file never is. */
import { type FSWatcher, type Stats, readFileSync, statSync, watch as watchFolder } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { MAX_SNAPSHOT_BYTES } from '../../../js/src/limit.js';
import { Failure, NOT_MODIFIED, type Source } from '../../../js/src/sync/source.js';

/** How often the file is checked besides being watched: a network file system sends no events, and the folder may be created later. */
const LOOK_EVERY_MS = 2_000;
/** A file that changed less than this ago may still be written to; the clocks of file systems tick a few milliseconds. */
const SETTLED_MS = 30;
/** Maximum number of changes of a file while it is read before it counts as being written. */
const MAX_READS = 20;

/**
 * A snapshot in a file, which need not exist yet.
 *
 * Replace it by renaming another file over it, as `kubectl`, `rsync` and most deployment tools do. A file that is
 * written in place is read once it no longer changes, and an incomplete snapshot is not published.
 */
export function file(path: string | URL): Source {
  const name = typeof path === 'string' ? path : fileURLToPath(path);
  /** The state of the file at the last check. */
  let seen: string | null = null;
  return {
    name,
    async fetch({ etag, signal }) {
      try {
        for (let reads = 0; reads < MAX_READS && !signal.aborted; reads += 1) {
          const before = await stat(name, { bigint: false });
          if (!before.isFile()) {
            // Reading a pipe would block without end.
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
        // A file that disappears is news too: the status should not report a good state for an interval.
        if (now !== seen) {
          seen = now;
          tell('changed');
        }
      };
      const begin = (): void => {
        try {
          // The folder: a replacement is another file, and a watch would stay with the old one.
          folder = watchFolder(dirname(name), { persistent: false }, (_, changed) => {
            // A Kubernetes folder changes its content by renaming `..data`, which the file points into.
            if (changed === null || changed === basename(name) || changed === '..data') {
              void look();
            }
          });
          folder.on('error', end);
        } catch {
          // The regular checks go on.
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
          // A file that was written a moment ago is published before this returns; one that may still be written to is
          // read again.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SETTLED_MS);
        }
        return readFileSync(name);
      } catch {
        return null;
      }
    },
  };
}

/** Identifies one content of the file: the time of the last change alone would miss a second change within the same tick. */
function tagOf({ mtimeMs, ctimeMs, size, ino }: Stats): string {
  return `${mtimeMs}-${ctimeMs}-${size}-${ino}`;
}

/** Whether the file changed so recently that it may change again within the same tick of the clock. */
function isSettling({ mtimeMs }: Stats): boolean {
  const age = Date.now() - mtimeMs;
  return age >= 0 && age < SETTLED_MS;
}

/** An error of the file system as text, without the path. */
export function reason(problem: unknown): string {
  const { message, code } = problem as { message?: unknown; code?: unknown };
  return typeof message === 'string' ? message.replace(/, \w+ '.*$/s, '') : String(code ?? problem);
}
