// A small API of a company that sells software to companies: what a caller may see depends on flags.
import { Context, SnapshotError, trackHandler } from '@esclusa/node';
import fastify from 'fastify';

/** The routes, over flags that somebody else publishes. */
export function app(flags) {
  const server = fastify();

  // One context for a request: every answer of the request is about the same caller.
  server.decorateRequest('caller', null);
  server.addHook('onRequest', async (request) => {
    request.caller = callerOf(request.headers);
  });
  // How it went, for callers with a feature and without it: a flag whose guard names the route switches itself off.
  server.addHook('onResponse', async (request, reply) => {
    flags.track(request.routeOptions.url ?? 'unknown', request.caller, { error: reply.statusCode >= 500, durationMs: reply.elapsedTime });
    request.caller?.free();
  });

  // A gate: a caller without the feature does not learn that it exists.
  server.get('/crm/advanced', async (request, reply) => {
    if (!flags.isEnabled('crm_advanced_features', request.caller)) {
      return reply.code(404).send({ error: 'there is nothing here' });
    }
    return { panel: ['custom fields', 'saved views', 'bulk edits'] };
  });

  // What the front end may know: values, and nothing about why.
  server.get('/flags', async (request) => {
    const keys = request.query.keys?.split(',') ?? null;
    return flags.project(request.caller, keys);
  });

  // A snapshot for the front end's own engine: flags that are marked `client`.
  server.get('/flags/client', async (request, reply) => reply.type('application/json').send(flags.clientSnapshot(request.caller)));

  // The events of pages, for the caller of the session.
  server.post('/v1/track', trackHandler(flags, (request) => request.caller));

  // For support: how are the features that watch themselves?
  server.get('/support/guards', async () => ({ lines: flags.guards().lines }));

  // For support: why does this customer not see it?
  server.get('/support/explain/:key', async (request) => {
    const { resolution, firstNo, text } = flags.explain(request.params.key, request.caller);
    return { resolution, firstNo, lines: text.split('\n') };
  });

  // What a store's webhook would call. Taking a feature back is publishing a snapshot in which it is off.
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  server.put('/snapshot', async (request, reply) => {
    try {
      const { outcome, changed, setAside, violations } = await flags.publish(request.body);
      return { outcome, changed, setAside, violations };
    } catch (problem) {
      if (!(problem instanceof SnapshotError)) {
        throw problem;
      }
      return reply.code(422).send({ error: problem.message, violations: problem.violations });
    }
  });

  return server;
}

/** Who is asking. A real service takes this from a session that it has checked, never from headers. */
function callerOf(headers) {
  return new Context(headers['x-user'], {
    company: headers['x-company'],
    plan: headers['x-plan'],
    roles: headers['x-roles']?.split(',') ?? [],
    region: headers['x-region'],
  });
}
