/**
 * The file of trips (`spec/GUARD.md`, 2.3): a process that restarts begins with the flags off that tripped before, and so
 * do the other processes that share the file, within a second and without a store.
 */
import { readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { save } from '../sources/cached.js';
import { reason } from '../sources/file.js';

/** A larger file is none: it is a few lines for each flag that tripped. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** What the file needs of the flags. */
export interface TripsOfFlags {
  /** Takes the trips of a document; what is wrong with it, or null. */
  take(document: string): string | null;
  /** A document of the trips of this one and of those that the flags have beyond them; empty if they have none. */
  more(document: string): string;
}

interface Look {
  isFile(): boolean;
  readonly size: number;
  readonly mtimeMs: number;
}

export class TripsFile {
  readonly #path: string;
  readonly #warn: (message: string) => void;
  /** The size and time of the content that was read last. */
  #read = '';
  /** The last content that was a document. */
  #known = '';
  #problem: string | null = null;
  #isBusy = false;

  constructor(path: string | URL, warn: (message: string) => void) {
    this.#path = typeof path === 'string' ? path : fileURLToPath(path);
    this.#warn = warn;
  }

  /** Takes the trips in the file before anything is served. */
  begin(flags: TripsOfFlags): void {
    try {
      if (this.#isNew(statSync(this.#path, { throwIfNoEntry: false }))) {
        this.#take(readFileSync(this.#path, 'utf8'), flags);
      }
    } catch (problem) {
      this.#failed(problem);
    }
  }

  /** Takes trips that are new in the file, and writes those that it lacks. A disk that hangs delays nothing else. */
  async turn(flags: TripsOfFlags): Promise<void> {
    if (this.#isBusy) {
      return;
    }
    this.#isBusy = true;
    try {
      if (this.#isNew(await stat(this.#path).catch(missing))) {
        this.#take(await readFile(this.#path, 'utf8'), flags);
      }
      const document = flags.more(this.#known);
      if (document !== '') {
        await save(this.#path, new TextEncoder().encode(document), () => Promise.resolve(true));
        this.#known = document;
      }
      this.#problem = null;
    } catch (problem) {
      this.#failed(problem);
    } finally {
      this.#isBusy = false;
    }
  }

  #isNew(look: Look | undefined): look is Look {
    if (look === undefined) {
      [this.#read, this.#known] = ['', ''];
      return false;
    }
    if (!look.isFile() || look.size > MAX_FILE_BYTES) {
      throw new Error('it is not a file of trips');
    }
    const read = `${look.mtimeMs} ${look.size}`;
    const isNew = read !== this.#read;
    // A file that is broken is read again when it changes.
    this.#read = read;
    return isNew;
  }

  #take(document: string, flags: TripsOfFlags): void {
    const problem = flags.take(document);
    if (problem !== null) {
      throw new Error(problem);
    }
    this.#known = document;
  }

  /** Says what is wrong, once as long as it stays the same. */
  #failed(problem: unknown): void {
    const why = reason(problem);
    if (why !== this.#problem) {
      this.#warn(`the file of trips \`${this.#path}\`: ${why}`);
    }
    this.#problem = why;
  }
}

function missing(problem: unknown): undefined {
  if ((problem as { code?: unknown }).code !== 'ENOENT') {
    throw problem;
  }
}
