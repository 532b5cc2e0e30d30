/** A snapshot that the app was built with: the ground that other layers lie on. */
import { type Snapshot, bytesOf } from '../publication.js';
import { NOT_MODIFIED, type Source } from './source.js';

/** There is one answer, and this stands for it. */
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
