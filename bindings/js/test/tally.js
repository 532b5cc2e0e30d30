// A reporter for `node --test`: what failed and why, and at the end one line that `cargo xtask test` adds up.
import { relative } from 'node:path';

export default async function* tally(events) {
  let [passed, failed] = [0, 0];
  for await (const { type, data } of events) {
    if (type === 'test:diagnostic' && !/^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(data.message)) {
      yield `${data.message}\n`;
    }
    if (type === 'test:stderr' || type === 'test:stdout') {
      yield data.message;
    }
    // A file counts by its tests, and by itself only if it fails as a whole.
    const isFile = data?.details?.type === 'suite' || data?.name?.endsWith('.test.js');
    // What was left out was not tested.
    if (type === 'test:pass' && !isFile && data.skip === undefined) {
      passed += 1;
    }
    if (type === 'test:fail' && !(isFile && data.details.error?.code === 'ERR_TEST_FAILURE' && failed > 0)) {
      failed += 1;
      const place = data.file === undefined ? '' : `${relative(process.cwd(), data.file)}:${data.line}: `;
      const error = data.details.error?.cause ?? data.details.error;
      yield `FAILED ${place}${data.name}\n${error?.stack ?? error}\n`;
    }
  }
  yield `${passed} passed, ${failed} failed\n`;
}
