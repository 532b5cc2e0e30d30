/** A snapshot under a key of Redis or Valkey, with notifications by the channel of the same name. */
import { createHash } from 'node:crypto';

import type { News, NotModified, Request, Source } from '../../../js/src/sync/source.js';
import type { Trip, TripStore, Verdict } from '../tracking/proposals.js';
import { Connection } from './connection.js';
import { type IoRedis, type Link, type NodeRedis, type Open, byIoRedis, byIoRedisClient, byNodeRedis, byNodeRedisClient } from './redis-link.js';
import { PROPOSE, tripsIn } from './redis-trips.js';
import { type Supplied, installed, supplied, timeout } from './supplied.js';

/** How to read a key. */
export interface RedisOptions {
  /** The key of the snapshot; `esclusa:flags`. */
  key?: string | undefined;
  /** The channel on which a writer publishes after it has set the key; by default the one with the key's name. */
  channel?: string | undefined;
  /** Called for the password of each connection: one that rotates, or a token that expires. */
  password?: (() => string | PromiseLike<string>) | undefined;
  /** Time limit of connecting, and of each answer; 10,000. */
  timeoutMs?: number | undefined;
}

/** Number of bytes at the start and at the end of a snapshot that are compared besides its tag. */
const ENDS = 1_024;
/** How long a user waits after a refusal before subscribing again. */
const REFUSED_MS = 60_000;
const NOT_MODIFIED: NotModified = Object.freeze({ esclusa: 'not modified' });

type Answer = NotModified | { bytes: string; etag: string | null };

/**
 * A snapshot under a key of Redis 6 or later, or Valkey, with `redis` or `ioredis`, whichever is installed or given.
 *
 * A writer sets the key and publishes any message on the channel of the same name. If there is a key with `:etag` after
 * it, that is compared before the snapshot is read; it should be set together with the snapshot. Without the right to
 * subscribe the key is polled once per interval, and `status().polled` says so. In a cluster any node may be named.
 *
 * The argument is an address, or a function that returns one for each connection; or a connected client of `redis` or
 * `ioredis`, of which a copy subscribes to the channel.
 *
 * Trips are proposed to the hash of the key's name with `:trips` after it. They stay there: a trip of a run that is over
 * switches nothing off. A user needs `HGET`, `HGETALL`, `HSET`, `PUBLISH` and `EVAL`.
 *
 * @throws TypeError for any other value, and Error without a driver; the message does not repeat the value.
 */
export function redis(store: Supplied | NodeRedis | IoRedis, options: RedisOptions = {}): Source & TripStore & { readonly polled: string | null } {
  return new Key(store, options);
}

class Key implements Source, TripStore {
  polled: string | null = null;
  readonly #open: Open;
  readonly #address: (() => Promise<URL>) | undefined;
  readonly #timeoutMs: number;
  readonly #key: string;
  readonly #channel: string;
  #name: string;
  readonly #connection: Connection<Link>;
  /** For trips, besides the one on which the snapshot is read. */
  readonly #trips: Connection<Link>;
  /** The node of a cluster that has the key, if it is another one. */
  #node: { host: string; port: string } | undefined;
  #refusedAt: number | undefined;

  constructor(store: Supplied | NodeRedis | IoRedis, options: RedisOptions) {
    this.#timeoutMs = timeout(options.timeoutMs);
    this.#connection = new Connection(() => this.#connect(this.#connection), this.#timeoutMs);
    this.#trips = new Connection(() => this.#connect(this.#trips), this.#timeoutMs);
    this.#key = options.key ?? 'esclusa:flags';
    this.#channel = options.channel ?? this.#key;
    this.#name = `redis ${this.#key}`;
    if (typeof (store as NodeRedis | null)?.sendCommand === 'function' && typeof (store as NodeRedis).isOpen === 'boolean') {
      this.#open = byNodeRedisClient(store as NodeRedis);
      return;
    }
    if (typeof (store as IoRedis | null)?.call === 'function' && typeof (store as IoRedis).status === 'string') {
      this.#open = byIoRedisClient(store as IoRedis);
      return;
    }
    if (typeof store !== 'string' && typeof store !== 'function') {
      throw new TypeError('this is no store, expected an address, a function that gives one, or a client of `redis` or `ioredis`');
    }
    const { name, driver } = installed('redis()', ['redis', 'ioredis']);
    this.#open = name === 'redis' ? byNodeRedis(driver) : byIoRedis(driver);
    if (typeof store === 'string') {
      this.#name = nameOf(address(store), this.#key);
    }
    this.#address = async () => address(await supplied(store), await options.password?.());
  }

  get name(): string {
    return this.#name;
  }

  async fetch({ etag, inFull }: Request): Promise<Answer> {
    // A tag may stay the same while the content changes, so it is sometimes left out [11.16].
    const known = inFull ? null : etag;
    const answer = await this.#ask(this.#connection, () => this.#fetch(known));
    if (answer === undefined) {
      throw new Error(`there is no key \`${this.#key}\`, expected a snapshot under it`);
    }
    return answer;
  }

  watch(tell: (news: News) => void): () => void {
    return this.#connection.watch(tell);
  }

  async propose({ flag, run, text }: Trip): Promise<Verdict> {
    const isTaken = await this.#ofTrips('EVAL', PROPOSE, '1', `${this.#key}:trips`, flag, String(run), text, this.#channel);
    return Number(isTaken) === 1 ? 'taken' : 'known';
  }

  async trips(): Promise<Trip[]> {
    return tripsIn(await this.#ofTrips('HGETALL', `${this.#key}:trips`));
  }

  /** Closes the connection of trips. */
  close(): void {
    this.#trips.close();
  }

  #ofTrips(...words: string[]): Promise<unknown> {
    return this.#ask(this.#trips, async () => (await this.#trips.get()).command(...words));
  }

  /** The answer, also of another node, or on a new connection. */
  async #ask<T>(connection: Connection<Link>, question: () => Promise<T>): Promise<T> {
    const ask = (): Promise<T> => connection.ask(question);
    const isKept = connection.isOpen;
    return ask().catch((problem: unknown) => {
      const [, host, port] = /^MOVED \d+ (.*):(\d+)$/.exec(String((problem as Error).message)) ?? [];
      // Another node of the cluster has the key, and is asked from now on; or the node is gone, and the configured
      // address leads to one that knows.
      this.#node = host === undefined || port === undefined || this.#address === undefined ? undefined : { host, port };
      // A kept connection may have broken a moment ago.
      if (this.#node === undefined && (!isKept || isRefusal(problem))) {
        throw problem;
      }
      return ask();
    });
  }

  async #fetch(known: string | null): Promise<Answer | undefined> {
    const link = await this.#connection.get();
    // Before any read, so that no change in between is missed.
    await this.#subscribe(link);
    if (known !== null && (await this.#looks(link)) === known) {
      return NOT_MODIFIED;
    }
    // Before the snapshot: if it changes in between, the tag is the older one, and everything is read again.
    const tag = await link.command('GET', `${this.#key}:etag`).catch(unlessRefused);
    const snapshot = await link.command('GET', this.#key);
    if (typeof snapshot !== 'string') {
      return undefined;
    }
    const bytes = Buffer.from(snapshot);
    const ends = [bytes.subarray(0, ENDS), bytes.subarray(-ENDS)].map(String);
    return { bytes: snapshot, etag: typeof tag === 'string' ? composed(tag, bytes.length, ends) : null };
  }

  /** Identifies the current snapshot; undefined without a tag, or for a user who may only `GET`. */
  async #looks(link: Link): Promise<string | undefined> {
    const commands = [['GET', `${this.#key}:etag`], ['STRLEN', this.#key], ['GETRANGE', this.#key, '0', String(ENDS - 1)], ['GETRANGE', this.#key, String(-ENDS), '-1']];
    const [tag, length, ...ends] = await Promise.all(commands.map((words) => link.command(...words).catch(unlessRefused)));
    return typeof tag === 'string' ? composed(tag, Number(length), ends.map(String)) : undefined;
  }

  async #connect(connection: Connection<Link>): Promise<Link> {
    const url = await this.#address?.();
    if (url !== undefined) {
      this.#name = nameOf(url, this.#key);
      if (this.#node !== undefined) {
        // Without a host it is another port of the same node.
        url.hostname = this.#node.host || url.hostname;
        url.port = this.#node.port;
      }
    }
    let made: Link | undefined;
    made = await this.#open({ url: url?.href ?? '', timeoutMs: this.#timeoutMs }, () => connection.ended(made));
    return made;
  }

  /** Subscribes, if the server allows it. */
  async #subscribe(link: Link): Promise<void> {
    if (this.#connection.isListening || (this.#refusedAt !== undefined && performance.now() - this.#refusedAt < REFUSED_MS)) {
      return;
    }
    try {
      await link.subscribe(this.#channel, () => this.#connection.changed(), () => this.#connection.isListening && this.#connection.ended(link));
      this.#connection.isListening = true;
      this.#refusedAt = undefined;
      this.polled = null;
    } catch (problem) {
      if (!isRefusal(problem)) {
        throw problem;
      }
      this.#refusedAt = performance.now();
      this.polled = 'the server does not let this user subscribe';
    }
  }
}

/** Whether the server itself refuses: its own errors begin with a word in capitals. */
function isRefusal(problem: unknown): boolean {
  return /^(NOPERM|ERR|WRONGTYPE|WRONGPASS|NOAUTH)\b/.test(String((problem as Error | null)?.message));
}

function unlessRefused(problem: unknown): null {
  if (!isRefusal(problem)) {
    throw problem;
  }
  return null;
}

/** Identifies a snapshot: its tag, its length and its ends. */
function composed(tag: string, bytes: number, ends: readonly string[]): string {
  return `${tag} ${bytes} ${createHash('sha256').update(ends.join('\n')).digest('hex').slice(0, 32)}`;
}

function address(given: string, password?: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !['redis:', 'rediss:'].includes(url.protocol)) {
    throw new TypeError('the address cannot be read, expected `redis://…` or `rediss://…`');
  }
  if (password !== undefined) {
    url.password = encodeURIComponent(password);
  }
  return url;
}

/** The server, the database and the key, without secrets. */
function nameOf(url: URL, key: string): string {
  return `redis://${url.hostname || 'localhost'}:${url.port || 6379}${url.pathname.length > 1 ? url.pathname : '/0'} ${key}`;
}
