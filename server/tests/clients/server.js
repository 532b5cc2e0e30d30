// The unmodified OFREP client for Node gets every answer of the engine.
//
// node server.js URL TOKEN QUESTIONS; a question is a line `{"key", "type", "context", "value", "variant"}`.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';

const [url, token, questions] = process.argv.slice(2);

const provider = new OFREPProvider({ baseUrl: url, headers: [['Authorization', `Bearer ${token}`]] });
await OpenFeature.setProviderAndWait(provider);
const client = OpenFeature.getClient();

/** What no flag serves, so that a default is seen. */
const ask = {
  boolean: (key, context) => client.getBooleanDetails(key, true, context),
  integer: (key, context) => client.getNumberDetails(key, -4711, context),
  float: (key, context) => client.getNumberDetails(key, -47.11, context),
  string: (key, context) => client.getStringDetails(key, 'no such text', context),
  object: (key, context) => client.getObjectDetails(key, { no: 'such' }, context),
};

const wrong = [];
const lines = readFileSync(questions, 'utf8').trim().split('\n');
for (const line of lines) {
  const { key, type, context, value, variant } = JSON.parse(line);
  const details = await ask[type](key, context);
  if (!isDeepStrictEqual(details.value, value) || details.variant !== variant || details.errorCode !== undefined) {
    wrong.push(`${line}: ${JSON.stringify(details)}`);
  }
}
const missing = await client.getBooleanDetails('there is no such flag', true, { targetingKey: 'ana' });
if (missing.errorCode !== 'FLAG_NOT_FOUND' || missing.value !== true) wrong.push(`no such flag: ${JSON.stringify(missing)}`);
if (wrong.length > 0 || lines.length === 0) {
  console.error(wrong.slice(0, 10).join('\n'));
  process.exit(1);
}
console.log(`${lines.length} answers in Node`);
await OpenFeature.close();
