/** One connection to Redis, by any of the drivers. */
import { inTime } from './in-time.js';

/** The address of a connection. */
export interface Place {
  readonly url: string;
  readonly timeoutMs: number;
}

/** A connection. */
export interface Link {
  /** The answer to a command. */
  command(...words: string[]): Promise<unknown>;
  /** Receives messages of the channel, on a connection of its own, until that ends. */
  subscribe(channel: string, onMessage: () => void, ended: () => void): Promise<unknown>;
  /** Closes the connections that were opened here; a client of the app stays open. */
  close(): void;
}

export type Open = (place: Place, ended: () => void) => Promise<Link>;

/** The part of a client of `redis` that is used. */
export interface NodeRedis {
  sendCommand(words: string[]): Promise<unknown>;
  duplicate(options?: object): NodeRedis;
  connect(): Promise<unknown>;
  subscribe(channel: string, onMessage: () => void): Promise<unknown>;
  on(event: string, listener: () => void): unknown;
  readonly isOpen: boolean;
  destroy?(): unknown;
  disconnect?(): unknown;
  unref(): void;
}

/** The part of a client of `ioredis` that is used. */
export interface IoRedis {
  call(...words: string[]): Promise<unknown>;
  duplicate(options?: object): IoRedis;
  connect(): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  on(event: string, listener: () => void): unknown;
  disconnect(): void;
  readonly status: string;
  readonly stream?: { unref?(): unknown };
}

/** Connections of its own with `redis`. */
export const byNodeRedis =
  (driver: unknown): Open =>
  async ({ url, timeoutMs }, ended) => {
    const { createClient } = driver as { createClient(options: object): NodeRedis };
    const make = (): NodeRedis => createClient({ url, socket: { connectTimeout: timeoutMs, reconnectStrategy: false } });
    const client = await openNodeRedis(make(), timeoutMs, ended);
    const link = nodeRedisLink(client, timeoutMs, make);
    return {
      ...link,
      close() {
        link.close();
        endNodeRedis(client);
      },
    };
  };

/** The app's client, and a copy of it for the channel. */
export const byNodeRedisClient =
  (client: NodeRedis): Open =>
  async ({ timeoutMs }) =>
    nodeRedisLink(client, timeoutMs, () => client.duplicate({ socket: { ...optionsOf(client), reconnectStrategy: false } }));

function optionsOf(client: NodeRedis): object {
  return (client as { options?: { socket?: object } }).options?.socket ?? {};
}

async function openNodeRedis(client: NodeRedis, timeoutMs: number, ended: () => void): Promise<NodeRedis> {
  // After an error, a new connection is made at the next use.
  client.on('error', ended);
  client.on('end', ended);
  // A server that accepts and does not answer keeps neither the process nor the connection.
  client.unref();
  await inTime(timeoutMs, client.connect(), () => endNodeRedis(client));
  client.unref();
  return client;
}

function endNodeRedis(client: NodeRedis): void {
  if (client.isOpen) {
    (client.destroy ?? client.disconnect)?.call(client);
  }
}

function nodeRedisLink(client: NodeRedis, timeoutMs: number, make: () => NodeRedis): Link {
  let news: NodeRedis | undefined;
  return {
    command: (...words) => client.sendCommand(words),
    async subscribe(channel, onMessage, ended) {
      const made = make();
      try {
        news = await openNodeRedis(made, timeoutMs, ended);
        await made.subscribe(channel, onMessage);
      } catch (problem) {
        news = undefined;
        endNodeRedis(made);
        throw problem;
      }
    },
    close: () => news && endNodeRedis(news),
  };
}

/** The driver does not retry: the protocol decides when. */
const ONCE = { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: null, reconnectOnError: null, autoResubscribe: false };

/** Connections of its own with `ioredis`. */
export const byIoRedis =
  (driver: unknown): Open =>
  async ({ url, timeoutMs }, ended) => {
    const Client = ((driver as { Redis?: unknown }).Redis ?? driver) as new (url: string, options: object) => IoRedis;
    const make = (): IoRedis => new Client(url, { ...ONCE, connectTimeout: timeoutMs });
    const client = await openIoRedis(make(), timeoutMs, ended);
    const link = ioRedisLink(client, timeoutMs, make);
    return {
      ...link,
      close() {
        link.close();
        client.disconnect();
      },
    };
  };

/** The app's client, and a copy of it for the channel. */
export const byIoRedisClient =
  (client: IoRedis): Open =>
  async ({ timeoutMs }) =>
    ioRedisLink(client, timeoutMs, () => client.duplicate(ONCE));

async function openIoRedis(client: IoRedis, timeoutMs: number, ended: () => void): Promise<IoRedis> {
  client.on('error', ended);
  client.on('end', ended);
  client.on('connect', () => client.stream?.unref?.());
  await inTime(timeoutMs, client.connect(), () => client.disconnect());
  return client;
}

function ioRedisLink(client: IoRedis, timeoutMs: number, make: () => IoRedis): Link {
  let news: IoRedis | undefined;
  return {
    command: (...words) => client.call(...words),
    async subscribe(channel, onMessage, ended) {
      const made = make();
      try {
        news = await openIoRedis(made, timeoutMs, ended);
        made.on('message', onMessage);
        await made.subscribe(channel);
      } catch (problem) {
        news = undefined;
        made.disconnect();
        throw problem;
      }
    },
    close: () => news?.disconnect(),
  };
}
