/** One connection to Postgres, by any of the drivers. */
import { type Socket, connect } from 'node:net';

/** The events of a connection. */
export interface LinkEvents {
  /** A notification has come. */
  changed(): void;
  /** The connection has ended. */
  ended(): void;
  /** The server sent a warning. */
  warned(message: string): void;
}

export type Row = readonly unknown[];

/** A connection. */
export interface Link {
  /** The number of the server's process, as reported when the connection was made. */
  readonly process: number | null | undefined;
  /** The first row of the last of these statements, which are sent as one. */
  row(statements: string): Promise<Row | undefined>;
  /** The only row of a query with parameters. */
  call(query: string, values: readonly (string | null)[]): Promise<Row>;
  /** Receives notifications from now on; `undefined` if it cannot. */
  readonly listen: ((channel: string) => Promise<unknown>) | undefined;
  /** Ends it; a client of the app stays open. */
  close(): void;
}

export type Open = (url: string, timeoutMs: number, events: LinkEvents) => Promise<Link>;

/** The part of `pg` that is used. */
interface PgClient {
  processID?: number | null;
  connect(): Promise<unknown>;
  query(query: { text: string; values?: readonly unknown[]; rowMode: 'array' }): Promise<unknown>;
  on(event: string, listener: (given: never) => void): unknown;
  removeListener(event: string, listener: (given: never) => void): unknown;
  end(): Promise<unknown>;
  unref?(): void;
  release?(destroy?: boolean): void;
  connection?: { stream?: { destroy?(): void } };
}

/** The part of a pool of `pg` that is used. */
export interface PgPool {
  connect(): Promise<unknown>;
  query(...given: never[]): unknown;
  readonly totalCount: number;
}

/** The part of `postgres` that is used. */
export interface PostgresJs {
  unsafe(statements: string, values?: readonly unknown[]): { values(): PromiseLike<unknown> };
  readonly options: { socket?: unknown; connection?: object };
  end(options?: { timeout?: number }): PromiseLike<unknown>;
}

/** A connection of its own with `pg`. */
export const byPg =
  (driver: unknown): Open =>
  async (url, timeoutMs, events) => {
    const pg = driver as { Client: new (options: object) => PgClient };
    const client = new pg.Client({ connectionString: url, application_name: 'esclusa', connectionTimeoutMillis: timeoutMs });
    const link = pgLink(client, events, () => {
      client.end().catch(() => undefined);
      client.connection?.stream?.destroy?.();
    });
    await client.connect().catch((problem: unknown) => {
      link.close();
      throw problem;
    });
    client.unref?.();
    return link;
  };

/** One client of the app's pool, held as long as the flags are kept fresh. */
export const byPool =
  (pool: PgPool): Open =>
  async (_url, _timeoutMs, events) => {
    const client = (await pool.connect()) as PgClient;
    return pgLink(client, events, () => client.release?.(true));
  };

function pgLink(client: PgClient, events: LinkEvents, close: () => void): Link {
  const listeners: [string, (given: never) => void][] = [
    ['notification', () => events.changed()],
    ['notice', ({ severity, message }: { severity?: string; message?: string }) => severity === 'WARNING' && events.warned(String(message))],
    // An error is noticed where the connection is used, and by its end.
    ['error', () => events.ended()],
    ['end', () => events.ended()],
  ];
  for (const [event, listener] of listeners) {
    client.on(event, listener);
  }
  return {
    get process() {
      return client.processID;
    },
    row: async (text) => lastRow(await client.query({ text, rowMode: 'array' })),
    call: async (text, values) => only(lastRow(await client.query({ text, values, rowMode: 'array' }))),
    listen: (channel) => client.query({ text: `LISTEN ${channel}`, rowMode: 'array' }),
    close() {
      for (const [event, listener] of listeners) {
        client.removeListener(event, listener);
      }
      client.on('error', () => undefined);
      close();
    },
  };
}

/** A row that must be there. */
export function only(row: Row | undefined): Row {
  if (row === undefined) {
    throw new Error('the query gave no row, expected one');
  }
  return row;
}

/** `pg` returns one result for each statement. */
function lastRow(results: unknown): Row | undefined {
  const last = (Array.isArray(results) ? results.at(-1) : results) as { rows?: Row[] } | undefined;
  return last?.rows?.[0];
}

/** A connection of its own with `postgres`; `options` are those of the app's instance, if it gave one. */
export const byPostgresJs =
  (driver: unknown, options: PostgresJs['options'] = {}): Open =>
  async (url, timeoutMs, events) => {
    const make = driver as (...given: (string | object)[]) => PostgresJs;
    let isClosed = false;
    const own = {
      max: 1,
      prepare: false,
      fetch_types: false,
      idle_timeout: 0,
      max_lifetime: null,
      // The socket has a limit of its own, and does not keep the process alive.
      connect_timeout: 0,
      socket: options.socket ?? (({ host, port, path }: Server) => socket(host[0], port[0], path, timeoutMs)),
      connection: { ...options.connection, application_name: 'esclusa' },
      onnotice: ({ severity, message }: { severity?: string; message?: string }) => severity === 'WARNING' && events.warned(String(message)),
      onnotify: () => events.changed(),
      onclose: () => isClosed || events.ended(),
    };
    const sql = url === '' ? make({ ...options, ...own }) : make(url, own);
    let process: number | undefined;
    return {
      get process() {
        return process;
      },
      async row(statements) {
        const results = (await sql.unsafe(statements).values()) as Row[][] & { state?: { pid?: number } };
        const last = (results.at(-1) ?? []) as Row[] & { state?: { pid?: number } };
        process = last.state?.pid ?? results.state?.pid;
        return last[0];
      },
      call: async (query, values) => only(((await sql.unsafe(query, values).values()) as Row[])[0]),
      listen: async (channel) => sql.unsafe(`LISTEN ${channel}`).values(),
      close() {
        isClosed = true;
        Promise.resolve(sql.end({ timeout: 0 })).catch(() => undefined);
      },
    };
  };

/** The app's instance of `postgres`, where the package itself cannot be found, as in a bundle: nothing can listen. */
export const bySql =
  (sql: PostgresJs): Open =>
  async () => ({
    process: null,
    row: async (statements) => ((await sql.unsafe(statements).values()) as Row[][]).at(-1)?.[0],
    call: async (query, values) => only(((await sql.unsafe(query, values).values()) as Row[])[0]),
    listen: undefined,
    close: () => undefined,
  });

/** The part of the options of `postgres` that says where the server is. */
interface Server {
  host: string[];
  port: number[];
  path?: string | false;
}

function socket(host: string | undefined, port: number | undefined, path: string | false | undefined, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const made = path ? connect(path) : connect(port ?? 5432, host ?? 'localhost');
    made.unref();
    // `postgres` reads here the name that a certificate must have.
    Object.assign(made, { host });
    const late = setTimeout(() => made.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs).unref();
    made.once('error', reject);
    made.once('connect', () => {
      clearTimeout(late);
      made.removeListener('error', reject);
      resolve(made);
    });
  });
}
