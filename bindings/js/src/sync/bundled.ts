/** A snapshot that is built into the app: the lowest layer. */
import { type Snapshot, bytesOf } from '../publication.js';
import { NOT_MODIFIED, type Source } from './source.js';

/** The source has one answer, with this tag. */
const ETAG = 'bundled';

/** A snapshot that never changes: a document or bare rows, as JSON. It is published before `sync` returns. */
export function bundled(snapshot: Snapshot): Source {
  const bytes = bytesOf(snapshot);
  return {
    name: 'bundled',
    fetch: ({ etag }) => (etag === ETAG ? NOT_MODIFIED : { bytes, etag: ETAG }),
    bootstrap: () => bytes,
  };
}
