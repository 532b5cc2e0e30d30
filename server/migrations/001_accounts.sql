-- Accounts, sessions and tokens of `esclusa serve`, in a schema of its own. The server makes them when the first of them is
-- to be kept; its role then owns them, and no other role reads them: row-level security is on, without a policy.
-- Where the role may not make a schema, its administrator does: CREATE SCHEMA esclusa_server AUTHORIZATION flags_server.

-- Two servers may begin at once; the tables of usage are made under the same lock.
SELECT pg_catalog.pg_advisory_xact_lock(7310295937630560513);

DO $$
BEGIN
  IF pg_catalog.to_regnamespace('esclusa_server') IS NULL THEN
    CREATE SCHEMA esclusa_server;
    REVOKE ALL ON SCHEMA esclusa_server FROM PUBLIC;
  END IF;
END $$;

CREATE TABLE IF NOT EXISTS esclusa_server.account (
  id uuid PRIMARY KEY,
  -- In small letters.
  email text NOT NULL UNIQUE,
  name text NOT NULL,
  -- A hash by argon2id, as a PHC string.
  password text NOT NULL,
  role text NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
  may_roll_back boolean NOT NULL DEFAULT false,
  company text,
  locale text,
  created_at_ms bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS esclusa_server.token (
  id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('server', 'client', 'ingest', 'admin')),
  -- Of the whole token, in hexadecimal digits.
  sha256 text NOT NULL,
  name text,
  role text CHECK (role IN ('viewer', 'editor', 'admin')),
  -- One per line.
  origins text NOT NULL DEFAULT '',
  company text,
  expires_at_ms bigint,
  used_at_ms bigint,
  created_at_ms bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS esclusa_server.session (
  id text PRIMARY KEY,
  -- Of what the cookie holds, in hexadecimal digits.
  sha256 text NOT NULL UNIQUE,
  account uuid REFERENCES esclusa_server.account ON DELETE CASCADE,
  -- The id of the token that it was begun with, which may be one of the configuration.
  token text,
  address text NOT NULL,
  began_at_ms bigint NOT NULL,
  expires_at_ms bigint NOT NULL
);

ALTER TABLE esclusa_server.account ENABLE ROW LEVEL SECURITY;
ALTER TABLE esclusa_server.token ENABLE ROW LEVEL SECURITY;
ALTER TABLE esclusa_server.session ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON ALL TABLES IN SCHEMA esclusa_server FROM PUBLIC;
