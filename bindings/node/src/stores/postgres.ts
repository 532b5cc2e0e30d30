/** A table in Postgres, read through the function `esclusa.ask`, with notifications by `LISTEN`. */
import { type Parameters, type Stored, stored } from '../../../js/src/parameters.js';
import type { News, NotModified, Request, Source } from '../../../js/src/sync/source.js';
import { Connection } from './connection.js';
import { type Address, address } from './postgres-address.js';
import type { Trip, TripStore, Verdict } from '../tracking/proposals.js';
import { type Link, type LinkEvents, type Open, type PgPool, type PostgresJs, type Row, byPg, byPool, byPostgresJs, bySql, only } from './postgres-link.js';
import { propose } from './postgres-trips.js';
import { type Supplied, found, installed, supplied, timeout } from './supplied.js';

/** How to read a table. */
export interface PostgresOptions {
  /** The table or view, written as in a query, `app."Flags"`; by default `feature_flags`, or the only watched one. */
  table?: string | undefined;
  /** Values for the parameters of the mapping that `esclusa.watch` keeps beside the table. */
  parameters?: Parameters | undefined;
  /** Called for the password of each connection: one that rotates, or a token that expires. */
  password?: (() => string | PromiseLike<string>) | undefined;
  /** Time limit of connecting, and of each query; 10,000. */
  timeoutMs?: number | undefined;
  /** Receives each warning once, such as one about a role without rights; `console.warn`. */
  warn?: ((message: string) => unknown) | undefined;
}

/**
 * The errors of `esclusa.ask` when changes are not counted or the table is not watched, and of a database that has lost
 * the migration or the rights to it. The rows can be read nevertheless.
 */
const NOT_COUNTED = new Set(['ES001', 'ES003', '42883', '3F000', '42501']);
/** Whether `esclusa.ask` exists and this user may call it. */
const CAN_ASK = `EXISTS (
  SELECT FROM pg_catalog.pg_proc JOIN pg_catalog.pg_namespace ON pg_namespace.oid = pronamespace
  WHERE nspname = 'esclusa' AND proname = 'ask' AND pg_catalog.has_schema_privilege(pg_namespace.oid, 'USAGE')
    AND pg_catalog.has_function_privilege(pg_proc.oid, 'EXECUTE'))`;
/** Whether it exists and this user may not call it. */
const IS_CLOSED = `EXISTS (SELECT FROM pg_catalog.pg_namespace
  WHERE nspname = 'esclusa' AND NOT pg_catalog.has_schema_privilege(oid, 'USAGE'))`;
const NOT_MODIFIED: NotModified = Object.freeze({ esclusa: 'not modified' });

type Answer = NotModified | { bytes: string; etag: string };

/**
 * A table of flags in Postgres, with `pg` or `postgres`, whichever is installed or given.
 *
 * With the migration (`001_esclusa.sql`) it calls `esclusa.ask`, which returns the rows if they have changed, and
 * raises if row-level security hides them; changes of the table arrive at once, by `LISTEN`. Without the migration the
 * rows are read once per interval. Behind a pooler that assigns a connection for each transaction (PgBouncer,
 * Supavisor) and on a standby there are no notifications: `status().polled` says so.
 *
 * The argument is a connection string, or a function that returns one for each connection; or a `pg.Pool`, of which it
 * holds one client; or the result of `postgres(…)`, whose options it opens a connection of its own with.
 *
 * With `002_guard.sql` trips are proposed to it, each on a connection of its own, because trips are rare.
 *
 * @throws TypeError for any other value, and Error without a driver; the message does not repeat the value.
 */
export function postgres(database: Supplied | PgPool | PostgresJs, options: PostgresOptions = {}): Source & TripStore & { readonly polled: string | null } {
  return new Table(database, options);
}

class Table implements Source, TripStore {
  polled: string | null = null;
  readonly translation: Stored;
  readonly #open: Open;
  readonly #address: (() => Promise<Address>) | undefined;
  readonly #timeoutMs: number;
  readonly #given: string | undefined;
  readonly #warn: (message: string) => unknown;
  readonly #warned = new Set<string>();
  #name = 'postgres';
  #schema: string | null = null;
  readonly #connection: Connection<Link>;
  #isCompared = false;
  /** The name of the watch; null if the rows are read. */
  #watch: string | null = null;

  constructor(database: Supplied | PgPool | PostgresJs, options: PostgresOptions) {
    this.#timeoutMs = timeout(options.timeoutMs);
    this.#connection = new Connection(() => this.#connect(), this.#timeoutMs);
    this.#given = options.table;
    this.translation = stored(options.parameters ?? {});
    this.#warn = options.warn ?? ((message) => console.warn(message));
    if (typeof (database as PostgresJs | null)?.unsafe === 'function') {
      // A new connection with the same options: `sql.listen` may hang after the server was killed.
      const sql = database as PostgresJs;
      const driver = found('postgres');
      this.#open = driver === undefined ? bySql(sql) : byPostgresJs(driver, sql.options);
      return;
    }
    if (typeof (database as PgPool | null)?.totalCount === 'number') {
      this.#open = byPool(database as PgPool);
      return;
    }
    if (typeof database !== 'string' && typeof database !== 'function') {
      throw new TypeError('this is no database, expected a connection string, a function that gives one, a pool of `pg`, or what `postgres(…)` returns');
    }
    const { name, driver } = installed('postgres()', ['pg', 'postgres']);
    this.#open = name === 'pg' ? byPg(driver) : byPostgresJs(driver);
    if (typeof database === 'string') {
      this.#name = address(database).name;
    }
    this.#address = async () => address(await supplied(database), await options.password?.());
  }

  get name(): string {
    return this.#name;
  }

  fetch(request: Request): Promise<Answer> {
    return this.#connection.ask(() => this.#fetch(request));
  }

  watch(tell: (news: News) => void): () => void {
    return this.#connection.watch(tell);
  }

  propose(trip: Trip): Promise<Verdict> {
    const connection = new Connection(() => this.#make({ changed: () => undefined, ended: () => undefined }), this.#timeoutMs);
    const asked = connection.ask(async () => {
      const link = await connection.get();
      return propose(link, trip, this.#given === undefined && this.#schema === null ? null : this.#table());
    });
    return asked.finally(() => connection.close());
  }

  async #fetch(request: Request): Promise<Answer> {
    const link = await this.#connection.get();
    // Before any read, so that no change in between is missed.
    await this.#listen(link);
    if (this.#watch !== null) {
      try {
        return await this.#readWatch(link, this.#watch, request);
      } catch (problem) {
        if (!NOT_COUNTED.has(String((problem as { code?: unknown }).code))) {
          throw problem;
        }
        this.#watch = null;
        this.#say(`read row by row: ${(problem as Error).message}`);
      }
    }
    return this.#readRows(link, request);
  }

  async #connect(): Promise<Link> {
    this.#isCompared = false;
    let made: Link | undefined;
    const link = await this.#make({ changed: () => this.#connection.changed(), ended: () => this.#connection.ended(made) });
    made = link;
    try {
      this.#watch = await this.#findWatch(link);
    } catch (problem) {
      link.close();
      throw problem;
    }
    return link;
  }

  async #make(events: Omit<LinkEvents, 'warned'>): Promise<Link> {
    const where = await this.#address?.();
    if (where !== undefined) {
      [this.#name, this.#schema] = [where.name, where.schema];
    }
    return this.#open(where?.url ?? '', this.#timeoutMs, { ...events, warned: (message) => this.#say(message.replace(/\s+/g, ' ')) });
  }

  /** Listens, unless it already does. A standby cannot, until it is promoted. */
  async #listen(link: Link): Promise<void> {
    if (this.#connection.isListening) {
      return;
    }
    const [isStandby, process] = await this.#row(link, 'SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_backend_pid()');
    if (isStandby === true) {
      this.polled = 'a standby server has no notifications';
      return;
    }
    if (link.listen === undefined) {
      this.polled = 'the package `postgres` is not found, which is needed for notifications';
      return;
    }
    await link.listen('esclusa');
    this.#connection.isListening = true;
    // A pooler invents the process number that it gives its clients.
    const isOwn = link.process === null || link.process === process;
    this.polled = isOwn ? null : 'a pooler is between, which may hand on no notifications';
  }

  async #readWatch(link: Link, watch: string, { etag, inFull }: Request): Promise<Answer> {
    // A revision may stay the same while rows change, so it is sometimes left out [11.16], unless the database itself
    // compares the two.
    const known = etag !== null && /^\d{1,18}$/.test(etag) && (this.#isCompared || !inFull) ? etag : 'NULL';
    const [revision, snapshot, isCompared] = await this.#row(
      link,
      `SELECT revision::text, snapshot::text, is_compared FROM esclusa.ask(${known}, ${quoted(watch)})`,
    );
    this.#isCompared = isCompared === true;
    return answered(revision, snapshot);
  }

  async #readRows(link: Link, { etag }: Request): Promise<Answer> {
    const known = etag !== null && /^[0-9a-z]+$/.test(etag) ? etag : '';
    const table = this.#table();
    const [digest, rows, isHidden, canAsk] = await this.#row(
      link,
      `SELECT md5(rows), CASE WHEN md5(rows) <> '${known}' THEN rows END,
        CASE WHEN rows = '[]' THEN row_security_active(to_regclass(${quoted(table)})) END, ${CAN_ASK}
       FROM (SELECT coalesce(json_agg(f ORDER BY f::text), '[]')::text AS rows FROM ${table} f) AS whole`,
    );
    if (canAsk === true) {
      this.#watch = await this.#findWatch(link);
    }
    if (isHidden === true) {
      throw new Error(`\`${table}\` shows no row while row-level security is active, expected a policy that lets this user read`);
    }
    return answered(digest, rows);
  }

  /** The watch of the table; if there is none, the only watch, unless the app has named a table. */
  async #findWatch(link: Link): Promise<string | null> {
    const [canAsk, isClosed, user] = await this.#row(link, `SELECT ${CAN_ASK}, ${IS_CLOSED}, current_user::text`);
    if (isClosed === true) {
      this.#say(`read without the migration: \`SELECT esclusa.allow(${quoted(String(user))})\` lets it ask`);
    }
    if (canAsk !== true) {
      return null;
    }
    const isNamed = this.#given !== undefined || this.#schema !== null;
    const only = isNamed ? '' : `OR (to_regclass('feature_flags') IS NULL AND (SELECT count(*) FROM esclusa.revision) = 1)`;
    const [watch] = await this.#row(
      link,
      `SELECT (SELECT name::text FROM esclusa.revision WHERE name = (
        SELECT format('%I.%I', nspname, relname)
        FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
        WHERE pg_class.oid = to_regclass(${quoted(this.#table())})) ${only})`,
    );
    return typeof watch === 'string' ? watch : null;
  }

  #table(): string {
    return this.#given ?? (this.#schema === null ? 'feature_flags' : `"${this.#schema.replaceAll('"', '""')}".feature_flags`);
  }

  /**
   * The first row. Without a limit a query that waits for a lock would go on in the server; the limit applies to this
   * query only, also with a pooler, because both are sent as one.
   */
  async #row(link: Link, query: string): Promise<Row> {
    return only(await link.row(`SET LOCAL statement_timeout = ${Math.ceil(this.#timeoutMs)}; ${query}`));
  }

  #say(message: string): void {
    if (!this.#warned.has(message)) {
      this.#warned.add(message);
      this.#warn(`esclusa: ${this.#name}: ${message}`);
    }
  }
}

function answered(etag: unknown, snapshot: unknown): Answer {
  return typeof snapshot === 'string' ? { bytes: snapshot, etag: String(etag) } : NOT_MODIFIED;
}

/** Text in a query. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
