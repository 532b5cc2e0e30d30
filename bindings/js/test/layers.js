// The files of spec/vectors, for tests in Node.
import { readFileSync, readdirSync } from 'node:fs';

const folder = new URL('../../../spec/vectors/', import.meta.url);

export const layers = readdirSync(folder)
  .filter((name) => /^\d\d-.*\.json$/.test(name))
  .sort()
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')));
