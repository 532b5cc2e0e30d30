/** `POST /v1/track`: the events of pages, for the caller of the session (`spec/GUARD.md`, 1). */
import { STATUS_CODES } from 'node:http';

import type { Caller } from '../../../js/src/flags.js';
import { Context } from '../../../js/src/context.js';
import type { AnyFlags } from '../../../js/src/types.js';
import { Flags } from '../flags.js';
import { BodyError, MAX_BODY_BYTES, type PageEvent, eventsOf } from './events.js';
import { SessionLimit } from './session-limit.js';

/** Options of a handler; `R` is the request of the app's server. */
export interface TrackHandlerOptions<R> {
  /** What a session is, for the limit of requests: its id. Without this it is the caller's `user`, or else all that is known of the caller. */
  sessionOf?: ((request: R, context: Context) => string | Promise<string>) | undefined;
}

/** The response of node:http and Express, or the reply of Fastify. */
export type ServerReply =
  | { writeHead(status: number, headers: { [name: string]: string }): unknown; end(body: string): unknown }
  | { code(status: number): unknown; header(name: string, value: string): unknown; send(body: string): unknown };

/** Answers a request with events. */
export interface TrackHandler<R> {
  /** For servers with the Fetch API. It never rejects. */
  (request: R): Promise<Response>;
  /** For node:http, Express and Fastify. It never rejects. */
  (request: R, response: ServerReply): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body: object;
}

/** A request of any server. */
interface AnyRequest {
  readonly method?: string;
  readonly headers: { get?: unknown; readonly [name: string]: unknown };
  /** Read already, or a stream of the Fetch API. */
  readonly body?: unknown;
  on?(event: string, listener: (given: never) => void): unknown;
  pause?(): unknown;
  readonly readableEnded?: boolean;
}

/**
 * A handler of `POST /v1/track` for node:http, Express and Fastify, and for servers with the Fetch API.
 *
 * `contextOf` gives the caller of the request's session, or null if there is none: nothing in the body says who it is.
 * Events count for a guard only if it says `"from_browser": true`; listeners of `onTrack` get all that are taken.
 *
 * ```js
 * app.post('/v1/track', trackHandler(flags, (request) => ({ user: request.session.userId, plan: request.session.plan })));
 * ```
 */
export function trackHandler<R = any, F extends AnyFlags = AnyFlags>(
  flags: Flags<F>,
  contextOf: (request: R) => Caller | Promise<Caller>,
  { sessionOf }: TrackHandlerOptions<R> = {},
): TrackHandler<R> {
  const own = flags as unknown as Flags;
  const limit = new SessionLimit();

  const answer = async (request: R): Promise<Answer> => {
    const asked = request as AnyRequest;
    if (asked.method !== 'POST') {
      return problem(405, `the method is ${String(asked.method).slice(0, 20)}, expected POST`, { allow: 'POST' });
    }
    const type = headerOf(asked, 'content-type').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    if (type !== 'application/json') {
      return problem(415, `the type is \`${type.slice(0, 50)}\`, expected application/json`);
    }
    if (Number(headerOf(asked, 'content-length')) > MAX_BODY_BYTES) {
      return tooLarge();
    }
    const caller = await contextOf(request);
    if (caller === null || caller === undefined) {
      return problem(401, 'there is no session, expected one');
    }
    const context = Context.from(caller);
    const wait = limit.take((await sessionOf?.(request, context)) ?? sessionIn(context), Date.now());
    if (wait > 0) {
      return problem(429, 'the session sends too often, expected one request each second', { 'retry-after': String(wait) });
    }
    const body = await bodyOf(asked);
    if (body === undefined) {
      return tooLarge();
    }
    return { status: 200, body: taken(own, context, eventsOf(typeof body === 'string' ? parsed(body) : body.json)) };
  };

  const safely = async (request: R): Promise<Answer> => {
    try {
      return await answer(request);
    } catch (failure) {
      if (failure instanceof BodyError) {
        return problem(400, failure.message);
      }
      console.error('esclusa: a request with events failed', failure);
      return problem(500, 'the app failed to take the events');
    }
  };

  const handle = async (request: R, response?: ServerReply): Promise<unknown> => {
    const { status, headers, body } = await safely(request);
    const all = { 'content-type': status === 200 ? 'application/json' : 'application/problem+json', 'cache-control': 'no-store', ...headers };
    const text = JSON.stringify(body);
    if (response === undefined || isFetched(request)) {
      return new Response(text, { status, headers: all });
    }
    if ('writeHead' in response) {
      response.writeHead(status, all);
      response.end(text);
      return undefined;
    }
    response.code(status);
    Object.entries(all).forEach(([name, value]) => response.header(name, value));
    // Fastify is told by this value that it was answered.
    return response.send(text);
  };
  return handle as TrackHandler<R>;
}

/** Takes the events whose names are known. */
function taken(flags: Flags, context: Context, events: readonly PageEvent[]): object {
  const tracking = Flags.trackingOf(flags);
  const refused: { at: number; problem: string }[] = [];
  events.forEach(({ event, error = false, duration_ms: durationMs = null, value = null, fields, ...shown }, at) => {
    if (flags.has(event) || (event.endsWith(FEEDBACK) && flags.has(event.slice(0, -FEEDBACK.length))) || tracking.watches(flags, event)) {
      tracking.trackFromBrowser(flags, { event, context, error, durationMs, value, fields: { ...fields, ...shown }, fromBrowser: true });
    } else {
      refused.push({ at, problem: `\`${event}\` is no flag and no event of a guard` });
    }
  });
  return { taken: events.length - refused.length, refused };
}

const FEEDBACK = '.feedback';

/** A problem document (RFC 9457). */
const problem = (status: number, detail: string, headers: Answer['headers'] = {}): Answer => ({ status, headers, body: { title: STATUS_CODES[status], status, detail } });

const tooLarge = (): Answer => problem(413, `the body is too large, expected at most ${MAX_BODY_BYTES} bytes`);

function sessionIn(context: Context): string {
  const { targetingKey, user, ...rest } = context.toJSON('');
  const key = targetingKey ?? user;
  return key === undefined || key === null ? JSON.stringify(rest) : `user ${String(key)}`;
}

const isFetched = (request: unknown): request is Request => typeof (request as AnyRequest).headers?.get === 'function';

function headerOf(request: AnyRequest, name: string): string {
  const value = isFetched(request) ? request.headers.get(name) : request.headers[name];
  return typeof value === 'string' ? value : '';
}

/** The body as text, or as the JSON that the server has parsed; undefined if it is too large. */
async function bodyOf(request: AnyRequest): Promise<string | { json: unknown } | undefined> {
  const bytes = isFetched(request) ? await fetched(request) : await given(request);
  if (bytes === undefined || !(bytes instanceof Uint8Array)) {
    return bytes;
  }
  return bytes.length > MAX_BODY_BYTES ? undefined : new TextDecoder().decode(bytes);
}

async function fetched(request: Request): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    size += part.value.length;
    if (size > MAX_BODY_BYTES) {
      await reader?.cancel();
      return undefined;
    }
    chunks.push(part.value);
  }
  return Buffer.concat(chunks);
}

/** The body that a parser has read, or what the request still has to give. */
function given(request: AnyRequest): Promise<Uint8Array | undefined> | Uint8Array | { json: unknown } {
  const { body } = request;
  if (typeof body === 'string') {
    return Buffer.from(body);
  }
  if (body instanceof Uint8Array) {
    return body;
  }
  // Without a length the bytes that came are not known any more.
  if (body !== undefined) {
    const text = headerOf(request, 'content-length') === '' ? JSON.stringify(body) : '';
    return text.length > MAX_BODY_BYTES ? Buffer.from(text) : { json: body };
  }
  if (request.readableEnded === true) {
    throw new BodyError('the body was read before, expected it as `body` of the request');
  }
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    request.on?.('data', (chunk: Uint8Array) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > MAX_BODY_BYTES) {
        request.pause?.();
        resolve(undefined);
      }
    });
    request.on?.('end', () => resolve(Buffer.concat(chunks)));
    request.on?.('error', (failure: Error) => reject(new BodyError(`the body has not come: ${failure.message}`)));
    request.on?.('close', () => reject(new BodyError('the body has not come: the connection was closed')));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (failure) {
    throw new BodyError(`the body is not JSON: ${(failure as Error).message}`);
  }
}
