// What runs in the page of web.js: the unmodified OFREP client for browsers.
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';

const client = OpenFeature.getClient();
let changes = 0;
client.addHandler(ProviderEvents.ConfigurationChanged, () => (changes += 1));

const ask = {
  boolean: (key) => client.getBooleanDetails(key, true),
  integer: (key) => client.getNumberDetails(key, -4711),
  float: (key) => client.getNumberDetails(key, -47.11),
  string: (key) => client.getStringDetails(key, 'no such text'),
  object: (key) => client.getObjectDetails(key, { no: 'such' }),
};

/** JSON with the names of each object in order. */
const text = (value) =>
  JSON.stringify(value, (_, inner) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner,
  );

window.ofrep = {
  async start(baseUrl, token, context) {
    const provider = new OFREPWebProvider({ baseUrl, headers: [['Authorization', `Bearer ${token}`]] });
    await OpenFeature.setProviderAndWait(provider, context);
  },
  setContext: (context) => OpenFeature.setContext(context),
  /** The questions that have another answer, with it. */
  wrong(questions) {
    const answers = questions.map((question) => ({ question, details: ask[question.type](question.key) }));
    return answers.filter(
      ({ question: { value, variant }, details }) =>
        text(details.value) !== text(value) || details.variant !== variant || details.errorCode !== undefined,
    );
  },
  changes: () => changes,
};
