/** Connection strings of Postgres, in the forms of users and database vendors. */

/** Parameters of other clients, which a server would refuse. */
const OF_OTHERS = new Set(
  (
    'pgbouncer connection_limit pool_timeout socket_timeout statement_cache_size sslidentity single_use_connections ' +
    'max_connection_lifetime max_idle_connection_lifetime pool pool_size max_overflow encoding charset conn_max_age ' +
    'prepared_statements prepare_threshold preparethreshold default_query_exec_mode reconnect supa adapter ' +
    'pool_max_conns pool_min_conns pool_max_conn_lifetime gssencmode krbsrvname channel_binding fallback_application_name'
  ).split(' '),
);

/** A parsed connection string. */
export interface Address {
  /** The string for the drivers, with its password. */
  readonly url: string;
  /** The server and the database, without secrets. */
  readonly name: string;
  /** The schema of the table, if it is not left to the search path. */
  readonly schema: string | null;
}

/**
 * Parses a connection string; a given password replaces its own.
 *
 * @throws TypeError, whose message does not show the value.
 */
export function address(given: string, password?: string): Address {
  const text = given.trim().replace(/^jdbc:/, '').replace(/^postgres(ql)?(\+\w+)?:/, 'postgres:');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'postgres:' || url.pathname.includes('@')) {
    throw new TypeError('the connection string cannot be read, expected `postgres://…`');
  }
  const schema = url.searchParams.get('schema') ?? url.searchParams.get('currentSchema');
  for (const name of [...url.searchParams.keys()]) {
    if (['schema', 'currentSchema'].includes(name) || OF_OTHERS.has(name.toLowerCase())) {
      url.searchParams.delete(name);
    }
  }
  if (password !== undefined) {
    url.password = encodeURIComponent(password);
  }
  const host = url.searchParams.get('host') ?? (url.hostname || 'localhost');
  return { url: url.href, name: `postgres://${host}:${url.port || 5432}${url.pathname}`, schema: schema === 'public' ? null : schema };
}
