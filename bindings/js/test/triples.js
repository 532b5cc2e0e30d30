// Answers to lines of JSON, to be compared byte by byte with those of other hosts.
//
// `{"snapshot": …}` is published into fresh flags, `{"key", "context", "now"}` is resolved against the last snapshot;
// `{"rows": text, "mapping", "parameters"}` is published by that mapping, and gives `{"refused": place}` if it is refused;
// each answer is the resolution (7.18) as canonical JSON: names sorted by UTF-16 code units, no spaces, numbers as
// JSON.stringify prints them. This module knows no file system and runs as it stands in a browser.

/** @returns {Generator<string>} one line for each line that asks for a key */
export function* answers(host, lines) {
  let flags = new host.Flags();
  for (const line of lines) {
    const { snapshot, rows, mapping, parameters, key, context, now } = JSON.parse(line);
    if (snapshot !== undefined) {
      flags.free();
      flags = new host.Flags();
      flags.publishSync(JSON.stringify(snapshot));
      continue;
    }
    if (rows !== undefined) {
      flags.free();
      flags = new host.Flags();
      try {
        flags.publishSync(rows, { mapping: new host.Mapping(mapping, parameters) });
      } catch (refusal) {
        yield canonical({ refused: refusal.place ?? refusal.violations.map(({ place }) => place).join('') });
      }
      continue;
    }
    const { errorCode, ...rest } = flags.resolve(key, context, now);
    yield canonical({ ...rest, error: errorCode });
  }
  flags.free();
}

/** JSON.stringify would put names that look like numbers first. */
function canonical(value) {
  if (Array.isArray(value)) {
    return `[${value.map(canonical).join(',')}]`;
  }
  if (typeof value !== 'object' || value === null) {
    return JSON.stringify(value);
  }
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}
