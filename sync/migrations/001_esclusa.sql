-- Esclusa in a Postgres database: revisions, notifications, a history and an emergency rollback for tables of flags.
--
--     psql --single-transaction -v ON_ERROR_STOP=1 -f 001_esclusa.sql
--     psql -c "SELECT esclusa.watch('public.feature_flags')" -c "SELECT esclusa.allow('app')"
--
-- Everything is in the schema `esclusa`. The file creates no table of flags and changes none; `esclusa.watch` attaches
-- to a table that exists, with a mapping if its columns have other names, `esclusa.create_flags` creates one. The file may be run again. Over the first version of this
-- file, which kept its objects beside `feature_flags`, it watches that table itself and keeps revision and history.
--
-- Rights: nothing is granted to PUBLIC. `ask`, `snapshot` and `emergency_rollback` act with the rights of their caller
-- and are granted by `allow`. The triggers act with the rights of the owner of this schema, because a role that may
-- change a flag may write neither revisions nor history. So they must run no code of anybody else:
--   * every function has a search path with nothing in it but pg_catalog; the three that have none, because what they
--     call for their caller needs the caller's path, are one qualified call each;
--   * a history table of an owner or with a trigger that is not trusted is not written (`distrust`);
--   * rows become JSON only where no cast of somebody else takes part in it (`is_json_safe`), and text by `format`, which
--     calls none.

SELECT pg_catalog.set_config('esclusa.caller_path', pg_catalog.current_setting('search_path'), false);
SET search_path = pg_catalog, pg_temp;

-- A schema with another owner could hold anything.
DO $$
DECLARE
  owners text;
BEGIN
  SELECT string_agg(DISTINCT quote_ident(pg_get_userbyid(owner)), ', ') INTO owners
  FROM (SELECT nspowner AS owner FROM pg_namespace WHERE nspname = 'esclusa'
        UNION ALL
        SELECT relowner FROM pg_class WHERE relnamespace = to_regnamespace('esclusa')
        UNION ALL
        SELECT proowner FROM pg_proc WHERE pronamespace = to_regnamespace('esclusa')) AS owned
  WHERE owner <> (SELECT oid FROM pg_roles WHERE rolname = current_user);
  IF owners IS NOT NULL THEN
    RAISE EXCEPTION 'the schema `esclusa`, or something in it, belongs to %, expected %', owners, current_user
      USING HINT = 'run this file as its owner';
  END IF;
END
$$;

-- The roles that `allow` has let in. They are let in again at the end.
SELECT set_config('esclusa.allowed', coalesce(
  (SELECT json_agg(pg_get_userbyid(grantee))::text
   FROM pg_proc, aclexplode(proacl)
   WHERE pronamespace = to_regnamespace('esclusa') AND proname = 'ask' AND grantee <> proowner AND grantee <> 0),
  '[]'), false);

-- What else roles may do (`allow_guard` of 002_guard.sql); they may again at the end.
SELECT set_config('esclusa.allowed_guard', coalesce(
  (SELECT json_agg(json_build_array(proname, pg_get_userbyid(grantee)))::text
   FROM pg_proc, aclexplode(proacl)
   WHERE pronamespace = to_regnamespace('esclusa') AND proname IN ('trip', 'advance', 'resume', 'write_usage')
     AND grantee <> proowner AND grantee <> 0),
  '[]'), false);

-- What an earlier version of this file called for itself, perhaps with other parameters.
DO $$
DECLARE
  helper regprocedure;
BEGIN
  FOR helper IN SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace = to_regnamespace('esclusa') AND prorettype <> 'trigger'::regtype
      AND proname NOT IN ('watch', 'unwatch', 'undo_mapping', 'create_flags', 'allow', 'ask', 'snapshot',
        'emergency_rollback', 'expose',
        -- Those of 002_guard.sql.
        'keep_guard_state', 'guarded_table', 'guard', 'change_guard_state', 'change_guard_states', 'current_run', 'trip',
        'resume', 'advance', 'may_advance', 'steps', 'steps_before', 'time_of', 'utc', 'span', 'usage_columns', 'usage',
        'write_usage', 'allow_guard') LOOP
    EXECUTE format('DROP FUNCTION %s', helper);
  END LOOP;
END
$$;

CREATE SCHEMA IF NOT EXISTS esclusa;

-- What is watched. `revision` is `at_ms` + `changes`, counted with the rows of `change` that are not folded in yet.
CREATE TABLE IF NOT EXISTS esclusa.watched (
  -- With its schema, as it is written in a query: `public.feature_flags`, `app."FeatureFlag"`.
  name text PRIMARY KEY,
  -- When it last changed, in milliseconds since 1970, and how often: both only rise.
  at_ms bigint NOT NULL,
  changes bigint NOT NULL,
  -- The columns and rights of its tables.
  shape text,
  -- A digest of all rows, the revision it belongs to, and when they were last compared.
  digest text,
  digest_revision bigint,
  compared_at timestamptz
);
-- What its columns mean, and which other tables belong to it (`MAPPING.md`); null if its columns are those of a flag.
ALTER TABLE esclusa.watched ADD COLUMN IF NOT EXISTS mapping jsonb;

-- One row for each transaction that has changed something. Writers only insert, so they never wait for one another, and
-- a transaction that stays open holds up no rollback. A restored backup may count its transactions from an earlier number
-- again: `began` keeps their keys apart.
CREATE TABLE IF NOT EXISTS esclusa.change (
  watched text NOT NULL,
  transaction bigint NOT NULL,
  began timestamptz NOT NULL,
  at_ms bigint NOT NULL,
  PRIMARY KEY (watched, transaction, began)
);
-- Each change of a mapping, and who made it.
CREATE TABLE IF NOT EXISTS esclusa.mapping_history (
  watched text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  revision bigint NOT NULL,
  old_mapping jsonb,
  new_mapping jsonb,
  said_by text,
  token_subject text,
  database_user text NOT NULL DEFAULT session_user,
  PRIMARY KEY (watched, changed_at)
);
ALTER TABLE esclusa.watched ENABLE ROW LEVEL SECURITY;
ALTER TABLE esclusa.change ENABLE ROW LEVEL SECURITY;
ALTER TABLE esclusa.mapping_history ENABLE ROW LEVEL SECURITY;

-- Rises with every commit that changes something, also after a restored backup: the next change has the clock's time.
CREATE OR REPLACE VIEW esclusa.revision AS
  SELECT watched.name,
    greatest(watched.at_ms, max(change.at_ms)) + watched.changes + count(change.at_ms) AS revision,
    watched.shape, watched.compared_at, watched.digest IS NOT NULL AS has_digest,
    watched.mapping, greatest(watched.at_ms, max(change.at_ms)) AS at_ms
  FROM esclusa.watched LEFT JOIN esclusa.change ON change.watched = watched.name
  GROUP BY watched.name;

----------------------------------------------------------------------------------------------------------------------
-- Names

-- Spellings of one name have this in common: `feature_flags`, `FeatureFlags`, `"FeatureFlag"`.
CREATE OR REPLACE FUNCTION esclusa.spelling(name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT rtrim(lower(regexp_replace(name, '[^[:alnum:]]', '', 'g')), 's')
$$;

-- The relations of other spellings of a name, in any schema.
CREATE OR REPLACE FUNCTION esclusa.other_spellings(called text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT string_agg(format('`%I.%I`', nspname, relname), ', ' ORDER BY nspname, relname)
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND esclusa.spelling(relname) = esclusa.spelling(called)
    AND nspname NOT IN ('pg_catalog', 'information_schema', 'esclusa') AND nspname !~ '^pg_(toast|temp)'
$$;

-- The relation of this name. A name without a schema is enough where there is one of that name.
CREATE OR REPLACE FUNCTION esclusa.relation(called text) RETURNS regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parts text[] := parse_ident(called);
  found regclass[];
  others text;
BEGIN
  SELECT array_agg(pg_class.oid::regclass) INTO found
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relname = parts[cardinality(parts)] AND cardinality(parts) <= 2
    AND CASE WHEN cardinality(parts) = 2 THEN nspname = parts[1] ELSE
      nspname NOT IN ('pg_catalog', 'information_schema', 'esclusa') AND nspname !~ '^pg_(toast|temp)' END;
  IF cardinality(found) = 1 THEN
    RETURN found[1];
  END IF;
  others := esclusa.other_spellings(parts[cardinality(parts)]);
  RAISE EXCEPTION 'there is no table `%`', called USING ERRCODE = 'undefined_table',
    HINT = CASE WHEN others IS NULL THEN 'esclusa.create_flags creates one' ELSE 'there is ' || others END;
END
$$;

-- As it is written in a query.
CREATE OR REPLACE FUNCTION esclusa.name_of(relation oid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT format('%I.%I', nspname, relname)
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = relation);
END
$$;

-- The relation of a watch; null if it is gone. Unlike `to_regclass` it needs no right to the schema.
CREATE OR REPLACE FUNCTION esclusa.found(watched text) RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parts text[] := parse_ident(watched);
BEGIN
  RETURN (SELECT pg_class.oid FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = parts[1] AND relname = parts[2]);
END
$$;

-- The watch of this name, or the only one.
CREATE OR REPLACE FUNCTION esclusa.watch_of(called text) RETURNS esclusa.revision
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found esclusa.revision;
  names text;
BEGIN
  SELECT string_agg(format('`%s`', name), ', ' ORDER BY name) INTO names FROM esclusa.revision;
  SELECT revision.* INTO found FROM esclusa.revision
  WHERE name = called OR (called IS NULL AND (SELECT count(*) FROM esclusa.revision) = 1);
  IF found.name IS NULL AND called IS NOT NULL AND names IS NOT NULL THEN
    SELECT revision.* INTO found FROM esclusa.revision WHERE name = esclusa.name_of(esclusa.relation(called));
  END IF;
  IF found.name IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'ES003', MESSAGE = CASE
      WHEN names IS NULL THEN 'no table is watched, expected `SELECT esclusa.watch(''public.feature_flags'')`'
      WHEN called IS NULL THEN format('several tables are watched, expected the name of one of %s', names)
      ELSE format('`%s` is not watched, expected one of %s', called, names) END;
  END IF;
  RETURN found;
END
$$;

-- The first of these columns that the relation has.
CREATE OR REPLACE FUNCTION esclusa.column_of(relation oid, VARIADIC names text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT attname::text
  FROM unnest(names) WITH ORDINALITY AS wanted (name, place)
  JOIN pg_attribute ON attrelid = relation AND attname = name AND attnum > 0 AND NOT attisdropped
  ORDER BY place LIMIT 1);
END
$$;

-- The columns of a flag's key (2.2.2 of SEMANTICS.md): the first that is not null counts.
CREATE OR REPLACE FUNCTION esclusa.key_columns(relation oid) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN array_remove(ARRAY[esclusa.column_of(relation, 'key'), esclusa.column_of(relation, 'name')], NULL);
END
$$;

CREATE OR REPLACE FUNCTION esclusa.switch_column(relation oid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN esclusa.column_of(relation, 'enabled');
END
$$;

CREATE OR REPLACE FUNCTION esclusa.share_column(relation oid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN esclusa.column_of(relation, 'rollout_percentage', 'rolloutPercentage');
END
$$;

CREATE OR REPLACE FUNCTION esclusa.id_column(relation oid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN esclusa.column_of(relation, 'id', 'Id', 'ID');
END
$$;

-- Whether its rows are flags.
CREATE OR REPLACE FUNCTION esclusa.has_flags(relation oid) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN esclusa.key_columns(relation) <> '{}' AND esclusa.switch_column(relation) IS NOT NULL;
END
$$;

-- Whether a value of `enabled` says on (2.2.4 of SEMANTICS.md).
CREATE OR REPLACE FUNCTION esclusa.is_on(value text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce(lower(btrim(value, E' \t\n\r\f') COLLATE "C")
    = ANY ('{true,t,yes,y,on,1,enabled,active}'::text[]), false);
END
$$;

-- The same where a mapping has words of its own (M9 of MAPPING.md): `on`, `off`, `null` and `invert`.
CREATE OR REPLACE FUNCTION esclusa.is_on(value text, words jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  word text := lower(btrim(value, E' \t\n\r\f') COLLATE "C");
BEGIN
  IF words = '{}' THEN
    RETURN esclusa.is_on(value);
  ELSIF coalesce(word, '') IN ('', '[]', '{}', 'null') THEN
    RETURN coalesce(words ->> 'null' = 'on', false);
  END IF;
  RETURN coalesce(coalesce((words ->> 'invert')::boolean, false) <> CASE
    WHEN word = ANY (esclusa.own_words(words, 'on')) THEN true
    WHEN word = ANY (esclusa.own_words(words, 'off')) THEN false
    WHEN esclusa.is_on(word) THEN true
    WHEN word = ANY (esclusa.off_words()) THEN false END, false);
END
$$;

-- A whole number of JSON from this number on; null for anything else.
CREATE OR REPLACE FUNCTION esclusa.whole(value jsonb, from_on bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN jsonb_typeof(value) = 'number' AND (value #>> '{}')::numeric >= from_on
    AND (value #>> '{}')::numeric < 9e15 AND (value #>> '{}')::numeric % 1 = 0 THEN (value #>> '{}')::numeric::bigint END;
END
$$;

-- The run of a `guard_state`: 1 if it does not say, null if that cannot be read.
CREATE OR REPLACE FUNCTION esclusa.run_of(state jsonb) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN coalesce(jsonb_typeof(state -> 'run'), 'null') = 'null' THEN 1 ELSE esclusa.whole(state -> 'run', 1) END;
END
$$;

-- Whether a `guard_state` keeps its flag off.
CREATE OR REPLACE FUNCTION esclusa.has_tripped(state jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce(esclusa.whole(state -> 'trip' -> 'run', 1) >= esclusa.run_of(state), false);
END
$$;

-- What a mapping calls `on` or `off`, in small letters.
CREATE OR REPLACE FUNCTION esclusa.own_words(words jsonb, which text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(SELECT lower(btrim(word #>> '{}', E' \t\n\r\f') COLLATE "C")
    FROM jsonb_path_query(words -> which, '$[*]') AS word);
END
$$;

-- The words for off, in the order in which a rollback tries them: a column may be a boolean, a number, an enum, or a text
-- that a constraint restricts. A mapping may have words of its own, or turn the switch round.
CREATE OR REPLACE FUNCTION esclusa.off_words(words jsonb DEFAULT '{}') RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  is_turned boolean := coalesce((words ->> 'invert')::boolean, false);
  known text[] := CASE WHEN is_turned THEN '{true,1,on,yes,enabled,active,t,y}'::text[]
    ELSE '{false,0,off,no,disabled,inactive,f,n}' END;
BEGIN
  RETURN ARRAY(SELECT word #>> '{}' FROM jsonb_path_query(words -> CASE WHEN is_turned THEN 'on' ELSE 'off' END, '$[*]')
      AS word)
    || known || ARRAY(SELECT initcap(word) FROM unnest(known) AS word) || ARRAY(SELECT upper(word) FROM unnest(known) AS word);
END
$$;

----------------------------------------------------------------------------------------------------------------------
-- Mappings (MAPPING.md): which columns and tables they name. What they mean is read outside of the database.

-- The columns that entries name: a text is one; an object has one in `column`, or several in `all`.
CREATE OR REPLACE FUNCTION esclusa.columns_in(entries jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(SELECT DISTINCT named #>> '{}' FROM (
    SELECT jsonb_path_query(entries, '$[*] ? (@.type() == "string")')
    UNION ALL SELECT jsonb_path_query(entries, '$[*].column ? (@.type() == "string")')
    UNION ALL SELECT jsonb_path_query(entries, '$[*].all[*] ? (@.type() == "string")')
    UNION ALL SELECT jsonb_path_query(entries, '$[*].all[*].column ? (@.type() == "string")')) AS found (named));
END
$$;

-- The columns of the flags' table that a mapping reads.
CREATE OR REPLACE FUNCTION esclusa.named_columns(mapping jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN esclusa.columns_in((
    SELECT coalesce(jsonb_agg(mapping -> entry), '[]') FROM unnest('{name,enabled,default,status,rollout_percentage,target_plans,
        target_roles,target_companies,target_regions,target_users,start_date,end_date,bucket_by,salt,variants,value,
        conditions}'::text[]) AS entry WHERE mapping ? entry)
    || jsonb_path_query_array(mapping, '$.overrides.*.*') || jsonb_path_query_array(mapping, '$.require.*')
    || jsonb_path_query_array(mapping, '$.off_when[*]') || jsonb_path_query_array(mapping, '$.counts[*]')
    || jsonb_path_query_array(mapping, '$.value.kind') || jsonb_path_query_array(mapping, '$.fold.by[*]')
    || jsonb_path_query_array(mapping, '$.fold.kind') || jsonb_path_query_array(mapping, '$.fold.kind.id')
    || jsonb_path_query_array(mapping, '$.fold.latest') || jsonb_path_query_array(mapping, '$.side[*].to')
    || jsonb_path_query_array(mapping, '$.side[*] ? (!exists (@.table))'));
END
$$;

-- Those of a table that `side` names.
CREATE OR REPLACE FUNCTION esclusa.named_side_columns(mapping jsonb, called text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN esclusa.columns_in((
    SELECT coalesce(jsonb_agg(side -> entry), '[]')
    FROM jsonb_path_query(mapping, '$.side[*]') AS side, unnest('{flag,id,by,enabled,from,until}'::text[]) AS entry
    WHERE side ->> 'table' = called AND side ? entry));
END
$$;

-- The column that an entry reads as a whole; of `all` the first. Null if it walks into one.
CREATE OR REPLACE FUNCTION esclusa.whole_column(entry jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (esclusa.columns_in(jsonb_path_query_array(coalesce(jsonb_path_query_first(entry, '$.all[0]'), entry),
    '$ ? (@.type() == "string" || !exists (@.at))')))[1];
END
$$;

-- The relation that a mapping calls so: one of the flags' schema, unless it says another. Null if there is none.
CREATE OR REPLACE FUNCTION esclusa.side_relation(relation oid, called text) RETURNS oid
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  schema name := (SELECT nspname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid = relation);
  parts text[];
  found oid := esclusa.found(format('%I.%I', schema, called));
BEGIN
  IF found IS NULL THEN
    parts := parse_ident(called);
    found := esclusa.found(CASE cardinality(parts) WHEN 1 THEN format('%I.%I', schema, parts[1])
      WHEN 2 THEN format('%I.%I', parts[1], parts[2]) END);
  END IF;
  RETURN found;
EXCEPTION WHEN invalid_parameter_value THEN
  RETURN NULL;
END
$$;

-- The tables that `side` names.
CREATE OR REPLACE FUNCTION esclusa.sides(relation oid, mapping jsonb) RETURNS TABLE (called text, side oid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT named.called, esclusa.side_relation(relation, named.called)
    FROM (SELECT DISTINCT entry ->> 'table' AS called FROM jsonb_path_query(mapping, '$.side[*] ? (exists (@.table))')
      AS entry) AS named ORDER BY 1;
END
$$;

-- The relation of a watch, and those that its mapping names besides.
CREATE OR REPLACE FUNCTION esclusa.relations_of(relation oid, mapping jsonb) RETURNS oid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN array_remove(relation || ARRAY(SELECT side FROM esclusa.sides(relation, mapping)), NULL);
END
$$;

-- What a mapping calls the table of the flags (M2).
CREATE OR REPLACE FUNCTION esclusa.flags_name(relation oid, mapping jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce(mapping ->> 'table', (SELECT relname::text FROM pg_class WHERE oid = relation));
END
$$;

-- What keeps a mapping from being read: a table or a column that is not there. Null if nothing does.
CREATE OR REPLACE FUNCTION esclusa.missing(relation oid, mapping jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
    SELECT CASE WHEN oid IS NULL THEN format('there is no table `%s`, which `side` of the mapping names', called)
      ELSE format('`%s` has no column `%s`, which the mapping names', esclusa.name_of(oid), named) END
    FROM (SELECT relation, NULL, esclusa.named_columns(mapping) || esclusa.columns_in(jsonb_path_query_array(mapping, '$.label'))
          UNION ALL
          SELECT sides.side, sides.called, esclusa.named_side_columns(mapping, sides.called)
          FROM esclusa.sides(relation, mapping) AS sides) AS read (oid, called, columns)
    LEFT JOIN LATERAL unnest(columns) AS one (named) ON true
    WHERE oid IS NULL OR named IS NOT NULL AND NOT EXISTS (
      SELECT FROM pg_attribute WHERE attrelid = oid AND attname = named AND attnum > 0 AND NOT attisdropped)
    ORDER BY oid IS NOT NULL, called NULLS FIRST, named LIMIT 1);
END
$$;

-- What the columns of a table are for triggers and rollbacks: `keys`, `id`, `switch` with its `words`, and `share`.
CREATE OR REPLACE FUNCTION esclusa.roles(relation oid, mapping jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  named text[] := coalesce(esclusa.named_columns(mapping), '{}');
  own_switch text := (SELECT column_name FROM (SELECT esclusa.switch_column(relation)) AS own (column_name)
    WHERE column_name <> ALL (named));
  switch jsonb := CASE WHEN mapping ? 'enabled' OR own_switch IS NULL
    THEN coalesce(mapping -> 'enabled', mapping -> 'default') END;
BEGIN
  RETURN jsonb_build_object(
    'keys', CASE WHEN mapping ->> 'each' = 'field' THEN '[]' WHEN mapping ? 'name'
      THEN to_jsonb(array_remove(ARRAY[esclusa.whole_column(mapping -> 'name')], NULL))
      ELSE to_jsonb(esclusa.key_columns(relation)) END,
    'id', esclusa.id_column(relation),
    'switch', CASE WHEN mapping ->> 'each' = 'field' THEN NULL WHEN switch IS NULL THEN own_switch
      ELSE esclusa.whole_column(switch) END,
    'words', CASE WHEN jsonb_typeof(switch) = 'object' THEN switch - '{column,all,const,at}'::text[] ELSE '{}' END,
    -- Whether others may stay on when the switch is off: it is the default of who is not named.
    'is_default', switch IS NOT NULL AND NOT mapping ? 'enabled',
    'share', CASE WHEN mapping ? 'rollout_percentage' THEN esclusa.whole_column(mapping -> 'rollout_percentage')
      ELSE esclusa.share_column(relation) END);
END
$$;

-- The same of a table that `side` names; `flags` and `to` say where the flag of a row is found.
CREATE OR REPLACE FUNCTION esclusa.side_roles(side jsonb, relation oid, mapping jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  flags jsonb := esclusa.roles(relation, mapping);
  switch jsonb := side -> 'enabled';
BEGIN
  RETURN jsonb_build_object(
    'keys', jsonb_build_array(side -> 'flag'),
    'switch', esclusa.whole_column(switch),
    'words', CASE WHEN switch IS NULL THEN '{"null": "on"}' WHEN jsonb_typeof(switch) = 'object' THEN switch - 'column'
      ELSE '{}' END,
    'flags', (SELECT esclusa.name_of(oid) FROM pg_class WHERE oid = relation AND relkind IN ('r', 'p')),
    'to', CASE WHEN side ? 'to' THEN esclusa.whole_column(side -> 'to') ELSE flags -> 'keys' ->> 0 END,
    'flag_keys', flags -> 'keys');
END
$$;

-- Of a table that is a part of a watch: what its columns are for the history. Null if it is not written.
CREATE OR REPLACE FUNCTION esclusa.roles_of(part oid, relation oid, mapping jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF part = ANY (esclusa.parts_of(relation)) THEN
    RETURN CASE WHEN mapping IS NOT NULL AND (SELECT relkind FROM pg_class WHERE oid = relation) <> 'v'
      THEN esclusa.roles(relation, mapping)
      WHEN esclusa.has_flags(part) THEN esclusa.roles(part, NULL) END;
  END IF;
  RETURN (SELECT esclusa.side_roles(entry, relation, mapping)
    FROM (SELECT entry, esclusa.side_relation(relation, entry ->> 'table')
      FROM jsonb_path_query(mapping, '$.side[*] ? (exists (@.table))') AS entry) AS side (entry, oid)
    WHERE part = ANY (esclusa.parts_of(side.oid))
      AND (SELECT relkind FROM pg_class WHERE pg_class.oid = side.oid) <> 'v' LIMIT 1);
END
$$;

-- Of a table that is a part of a watch: `flags`, `part` if every column may matter, or an array of those that do not.
CREATE OR REPLACE FUNCTION esclusa.idle_columns(part oid, relation oid, mapping jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  reached text[];
BEGIN
  -- The relations by which the table belongs to the watch; one of them may be a view.
  SELECT array_agg(CASE (SELECT relkind FROM pg_class WHERE pg_class.oid = list.oid) WHEN 'v' THEN NULL ELSE called END)
  INTO reached
  FROM (SELECT relation, '' UNION ALL SELECT sides.side, sides.called FROM esclusa.sides(relation, mapping) AS sides)
    AS list (oid, called)
  WHERE part = ANY (esclusa.parts_of(list.oid));
  IF cardinality(reached) > 1 OR reached[1] IS NULL THEN
    RETURN 'part';
  ELSIF mapping IS NULL THEN
    RETURN 'flags';
  END IF;
  RETURN ARRAY(
    SELECT idle FROM unnest(esclusa.unread()) AS idle
      WHERE idle <> ALL (CASE WHEN reached[1] = '' THEN esclusa.named_columns(mapping)
        ELSE esclusa.named_side_columns(mapping, reached[1]) END)
    UNION
    SELECT unnest(esclusa.columns_in(jsonb_path_query_array(mapping, '$.label')
      || jsonb_path_query_array(mapping, '$.ignore[*]'))) WHERE reached[1] = ''
    ORDER BY 1)::text;
END
$$;

----------------------------------------------------------------------------------------------------------------------
-- The parts of a watch

-- The tables whose rows relations show: themselves, its partitions and children, and those that a view reads.
CREATE OR REPLACE FUNCTION esclusa.parts_of(VARIADIC relations oid[]) RETURNS oid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(
  WITH RECURSIVE reached AS (
    SELECT unnest(relations) AS oid
    UNION
    SELECT CASE WHEN inhparent IS NOT NULL THEN inhrelid ELSE refobjid END
    FROM reached
    LEFT JOIN pg_class ON pg_class.oid = reached.oid
    LEFT JOIN pg_inherits ON inhparent = reached.oid AND relkind IN ('r', 'p')
    LEFT JOIN pg_rewrite ON ev_class = reached.oid AND relkind = 'v'
    LEFT JOIN pg_depend ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
      AND refclassid = 'pg_class'::regclass AND refobjid <> reached.oid
    WHERE inhrelid IS NOT NULL OR refobjid IS NOT NULL
  )
  SELECT oid FROM reached WHERE oid IN (SELECT pg_class.oid FROM pg_class WHERE relkind IN ('r', 'p', 'm', 'f')));
END
$$;

-- The first of these tables without a trigger that counts its changes for a watch; null if there is none. A trigger that
-- is enabled for this server's own changes only, as after a restored backup, is enough here: `is_always` finds it. A
-- table that is emptied gets another file, which `shape` finds.
CREATE OR REPLACE FUNCTION esclusa.uncounted(parts oid[], watched text) RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT part FROM unnest(parts) AS part WHERE NOT EXISTS (
    SELECT FROM pg_trigger
    WHERE tgrelid = part AND tgname = 'esclusa_tell' AND tgfoid = to_regproc('esclusa.tell')
      AND tgenabled IN ('A', 'O')
      AND position('\x00'::bytea || convert_to(watched, 'UTF8') || '\x00'::bytea IN tgargs) > 0) LIMIT 1);
END
$$;

-- Whether the triggers of these tables count also what comes by replication or from a backup.
CREATE OR REPLACE FUNCTION esclusa.is_always(parts oid[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = ANY (parts) AND tgfoid = to_regproc('esclusa.tell')
    AND tgenabled <> 'A');
END
$$;

-- What changes without any row being written: columns, the file that holds the rows, policies, grants, views.
CREATE OR REPLACE FUNCTION esclusa.shape(relations oid[], parts oid[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT md5(string_agg(part, E'\n' ORDER BY part))
  FROM (SELECT listed AS oid, esclusa.name_of(listed) AS name
        FROM (SELECT unnest(relations) UNION SELECT unnest(parts)) AS list (listed) OFFSET 0) AS member
  CROSS JOIN LATERAL (
    SELECT concat_ws(' ', member.name, relrowsecurity, relforcerowsecurity, relacl,
      pg_relation_filenode(member.oid), CASE WHEN relkind = 'v' THEN md5(pg_get_viewdef(member.oid)) END)
    FROM pg_class WHERE pg_class.oid = member.oid
    UNION ALL
    SELECT concat_ws(' ', member.name, attname, format_type(atttypid, atttypmod), attacl)
    FROM pg_attribute WHERE attrelid = member.oid AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT concat_ws(' ', member.name, polname, polcmd, polpermissive,
      (SELECT string_agg(pg_get_userbyid(role), ',') FROM unnest(polroles) AS role),
      pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    FROM pg_policy WHERE polrelid = member.oid
  ) AS parts (part));
END
$$;

-- Whether rows appear, go or change without any table of the watch being written: a view or a policy that reads the
-- clock or a setting, calls somebody's function, or (a policy) reads another table. Then no revision stands for them.
CREATE OR REPLACE FUNCTION esclusa.is_moving(relations oid[], parts oid[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  moving text := '\m(now|transaction_timestamp|statement_timestamp|clock_timestamp|timeofday|random|current_setting)\(|'
    '\m(CURRENT_DATE|CURRENT_TIME|CURRENT_TIMESTAMP|LOCALTIME|LOCALTIMESTAMP)\M';
BEGIN
  RETURN EXISTS (
    WITH RECURSIVE seen AS (
      SELECT unnest(relations) AS oid
      UNION
      SELECT refobjid FROM seen JOIN pg_rewrite ON ev_class = seen.oid JOIN pg_depend
        ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid AND refclassid = 'pg_class'::regclass
    )
    SELECT FROM seen JOIN pg_class ON pg_class.oid = seen.oid AND relkind = 'v'
    WHERE pg_get_viewdef(seen.oid) ~ moving OR EXISTS (
      SELECT FROM pg_rewrite JOIN pg_depend ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
      WHERE ev_class = seen.oid AND refclassid = 'pg_proc'::regclass)
  ) OR EXISTS (
    SELECT FROM unnest(parts) AS member JOIN pg_policy ON polrelid = member
    WHERE row_security_active(member) AND polcmd IN ('r', '*')
      AND (pg_get_expr(polqual, polrelid) ~ moving OR EXISTS (
        SELECT FROM pg_depend WHERE classid = 'pg_policy'::regclass AND objid = pg_policy.oid
          AND (refclassid = 'pg_proc'::regclass OR refclassid = 'pg_class'::regclass AND refobjid <> polrelid)))
  );
END
$$;

----------------------------------------------------------------------------------------------------------------------
-- Trust: code of others that triggers would run with the rights of this schema's owner

-- Whether a role can do already whatever the owner of this schema can.
CREATE OR REPLACE FUNCTION esclusa.is_trusted(role oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT pg_has_role(role, (SELECT nspowner FROM pg_namespace WHERE nspname = 'esclusa'), 'MEMBER')
$$;

-- Why a table is not written with those rights: null if it can be.
CREATE OR REPLACE FUNCTION esclusa.distrust(relation oid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
    WITH RECURSIVE tree AS (
      SELECT relation AS oid UNION SELECT inhrelid FROM tree JOIN pg_inherits ON inhparent = tree.oid
    ), member AS (
      SELECT tree.oid, relkind, relowner FROM tree JOIN pg_class ON pg_class.oid = tree.oid
    )
    SELECT reason FROM (
      SELECT format('`%s` is not a table', esclusa.name_of(oid)) FROM member WHERE relkind NOT IN ('r', 'p')
      UNION ALL
      SELECT format('`%s` belongs to %I', esclusa.name_of(oid), pg_get_userbyid(relowner)) FROM member
        WHERE NOT esclusa.is_trusted(relowner)
      UNION ALL
      SELECT format('`%s` has the trigger `%s`, whose function belongs to %I',
        esclusa.name_of(member.oid), tgname, pg_get_userbyid(called_owner))
      FROM member JOIN pg_trigger ON tgrelid = member.oid AND NOT tgisinternal
      CROSS JOIN LATERAL (SELECT (SELECT proowner FROM pg_proc WHERE pg_proc.oid = tgfoid)) AS called (called_owner)
      WHERE NOT esclusa.is_trusted(called_owner)
      UNION ALL
      SELECT format('`%s` has the column `%s`, whose type belongs to %I',
        esclusa.name_of(member.oid), attname, pg_get_userbyid(type_owner))
      FROM member JOIN pg_attribute ON attrelid = member.oid AND attnum > 0 AND NOT attisdropped
      CROSS JOIN LATERAL (SELECT (SELECT typowner FROM pg_type WHERE pg_type.oid = atttypid)) AS used (type_owner)
      WHERE NOT esclusa.is_trusted(type_owner)
    ) AS reasons (reason) LIMIT 1);
END
$$;

-- Whether a row of this table becomes JSON without a cast that somebody has written: `to_jsonb` calls those.
CREATE OR REPLACE FUNCTION esclusa.is_json_safe(relation oid) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_cast JOIN pg_proc ON pg_proc.oid = castfunc
      JOIN pg_language ON pg_language.oid = prolang
      WHERE casttarget IN ('json'::regtype, 'jsonb'::regtype) AND lanname NOT IN ('internal', 'c')) THEN
    RETURN true;
  END IF;
  RETURN NOT EXISTS (
    WITH RECURSIVE used AS (
      SELECT atttypid AS oid FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
      UNION
      SELECT inner_type FROM used JOIN pg_type ON pg_type.oid = used.oid
      CROSS JOIN LATERAL (
        SELECT typelem UNION ALL SELECT typbasetype UNION ALL
        SELECT atttypid FROM pg_attribute WHERE attrelid = typrelid AND attnum > 0 AND NOT attisdropped
      ) AS parts (inner_type) WHERE inner_type <> 0
    )
    SELECT FROM used JOIN pg_cast ON castsource = used.oid JOIN pg_proc ON pg_proc.oid = castfunc
    JOIN pg_language ON pg_language.oid = prolang
    WHERE casttarget IN ('json'::regtype, 'jsonb'::regtype) AND lanname NOT IN ('internal', 'c'));
END
$$;

----------------------------------------------------------------------------------------------------------------------
-- Revisions

CREATE OR REPLACE FUNCTION esclusa.clock_ms() RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
END
$$;

-- Columns that change with the use of a flag, not with its definition.
CREATE OR REPLACE FUNCTION esclusa.noise() RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN '{updated_at,updatedAt,modified_at,modifiedAt,last_modified,last_updated,last_used_at,lastUsedAt,
    last_evaluated_at,lastEvaluatedAt,last_seen_at,lastSeenAt,metrics,usage_count,usageCount,evaluation_count,
    evaluationCount,eval_count,hit_count,hits,impressions,total_evaluations,stats,statistics}';
END
$$;

-- Columns that change no answer (2.2.3 of SEMANTICS.md), unless a mapping reads them.
CREATE OR REPLACE FUNCTION esclusa.unread() RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN esclusa.noise() || '{id,description,created_at,createdAt,created_by,createdBy}'::text[];
END
$$;

-- Whether two rows have the same answers, by the columns that do not matter for them (`idle_columns`).
CREATE OR REPLACE FUNCTION esclusa.is_same(before jsonb, after jsonb, idle text DEFAULT 'flags') RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  without text[] := CASE WHEN idle <> 'flags' THEN idle::text[]
    -- Beside a key the name is a label.
    ELSE esclusa.unread() || CASE WHEN before ->> 'key' IS NOT NULL AND after ->> 'key' IS NOT NULL THEN '{name}'::text[] ELSE '{}' END END;
BEGIN
  RETURN before - without = after - without;
END
$$;

-- Raises the revision of a watch in this transaction, and tells everyone who listens when it commits.
CREATE OR REPLACE FUNCTION esclusa.raise_revision(watched text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('esclusa', watched);
  INSERT INTO esclusa.change VALUES (watched, txid_current(), now(), esclusa.clock_ms()) ON CONFLICT DO NOTHING;
EXCEPTION WHEN OTHERS THEN
  PERFORM pg_notify('esclusa', watched);
  RAISE WARNING 'esclusa: the revision of `%` is not raised: %', watched, SQLERRM;
END
$$;

-- After each row that changes, for the watches that the trigger names: only triggers of rows come with a new partition and
-- run for changes that come by replication. The first argument says which columns do not matter (`idle_columns`).
CREATE OR REPLACE FUNCTION esclusa.tell() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
  watched text;
BEGIN
  -- After the first row of a transaction there is nothing left to do.
  BEGIN
    IF NOT EXISTS (SELECT FROM unnest(TG_ARGV[1:]) AS name WHERE NOT EXISTS (SELECT FROM esclusa.change
        WHERE change.watched = name AND transaction = txid_current() AND began = now())) THEN
      RETURN NULL;
    END IF;
  EXCEPTION WHEN OTHERS THEN
    -- `raise_revision` says what is wrong.
    NULL;
  END;
  IF TG_OP = 'UPDATE' THEN
    IF OLD *= NEW THEN
      RETURN NULL;
    ELSIF TG_ARGV[0] <> 'part' AND esclusa.is_json_safe(TG_RELID) THEN
      IF esclusa.is_same(to_jsonb(OLD), to_jsonb(NEW), TG_ARGV[0]) THEN
        RETURN NULL;
      END IF;
    END IF;
  END IF;
  FOREACH watched IN ARRAY TG_ARGV[1:] LOOP
    PERFORM esclusa.raise_revision(watched);
  END LOOP;
  RETURN NULL;
END
$$;

-- The revision and a digest of all rows, at one instant, without the columns whose changes raise no revision. Rows are
-- compared as `format` prints them, which calls no cast that somebody has written, and only those of tables: a view would run its owner's functions with the rights of this
-- schema's owner.
CREATE OR REPLACE FUNCTION esclusa.measure(watched text, OUT at_revision bigint, OUT digest text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET timezone = 'UTC'
SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET extra_float_digits = 1 SET bytea_output = 'hex' AS $$
DECLARE
  member text;
  query text := '';
  relation oid := esclusa.found(watched);
  mapping jsonb := (SELECT stored.mapping FROM esclusa.watched AS stored WHERE name = $1);
  idle text;
BEGIN
  FOR member IN SELECT esclusa.name_of(part)
      FROM unnest(esclusa.parts_of(VARIADIC esclusa.relations_of(relation, mapping))) AS part ORDER BY 1 LOOP
    -- A locked table cannot become a view before it is read.
    EXECUTE format('LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT', member);
    IF (SELECT relkind FROM pg_class WHERE oid = to_regclass(member)) = 'r' THEN
      idle := esclusa.idle_columns(to_regclass(member), relation, mapping);
      query := query || format(
        ' || (SELECT concat(count(*), md5(string_agg(row_digest, '''' ORDER BY row_digest)))
          FROM ONLY %s f CROSS JOIN LATERAL (SELECT md5(format(''%%s'', ROW(%s)))) AS digested (row_digest))', member,
        (SELECT string_agg(format('f.%I', attname), ', ' ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = to_regclass(member) AND attnum > 0 AND NOT attisdropped AND attname::text <> ALL (
           CASE idle WHEN 'part' THEN '{}' WHEN 'flags' THEN esclusa.unread() ELSE idle::text[] END)));
    END IF;
  END LOOP;
  EXECUTE 'SELECT revision, ''''' || query || ' FROM esclusa.revision WHERE name = $1'
    INTO at_revision, digest USING watched;
END
$$;

-- Compares the revision with what it stands for: a change that fired no trigger raises it now. Once in ten minutes for
-- all who ask, at once when columns or rights have changed.
CREATE OR REPLACE FUNCTION esclusa.compare(called text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stored esclusa.watched;
  relation oid;
  relations oid[];
  now_shape text;
  measured record;
BEGIN
  SELECT watched.* INTO stored FROM esclusa.watched WHERE name = called FOR UPDATE SKIP LOCKED;
  relation := esclusa.found(stored.name);
  relations := esclusa.relations_of(relation, stored.mapping);
  now_shape := esclusa.shape(relations, esclusa.parts_of(VARIADIC relations));
  IF stored.name IS NULL
    OR (stored.shape = now_shape AND stored.compared_at > clock_timestamp() - interval '10 minutes') THEN
    RETURN;
  END IF;
  BEGIN
    SELECT * INTO measured FROM esclusa.measure(stored.name);
    IF stored.shape = now_shape AND stored.digest_revision = measured.at_revision
      AND stored.digest <> measured.digest THEN
      RAISE WARNING 'esclusa: `%` has changed without its triggers', stored.name;
    END IF;
    IF stored.shape <> now_shape
      OR (stored.digest_revision = measured.at_revision AND stored.digest <> measured.digest) THEN
      PERFORM esclusa.raise_revision(stored.name);
      SELECT * INTO measured FROM esclusa.measure(stored.name);
    END IF;
    UPDATE esclusa.watched SET digest = measured.digest, digest_revision = measured.at_revision
      WHERE name = stored.name;
  EXCEPTION WHEN query_canceled OR OTHERS THEN
    -- Comparing is optional: a failure must not keep the flags from the caller. It is tried again in ten minutes.
    RAISE WARNING 'esclusa: the rows of `%` are not compared: %', stored.name, SQLERRM;
    UPDATE esclusa.watched SET digest = NULL WHERE name = stored.name;
    IF stored.shape <> now_shape THEN
      PERFORM esclusa.raise_revision(stored.name);
    END IF;
  END;
  -- What is folded in keeps its count and its time, so the revision stays.
  WITH folded AS (
    DELETE FROM esclusa.change WHERE change.watched = stored.name AND transaction <> txid_current() RETURNING at_ms
  )
  UPDATE esclusa.watched SET shape = now_shape, compared_at = clock_timestamp(),
    changes = changes + (SELECT count(*) FROM folded),
    at_ms = greatest(watched.at_ms, (SELECT max(folded.at_ms) FROM folded))
  WHERE name = stored.name;
END
$$;

----------------------------------------------------------------------------------------------------------------------
-- Reading

-- The query for the rows of a relation. Its order is total, and depends on no column before the key.
CREATE OR REPLACE FUNCTION esclusa.rows_of(relation oid, mapping jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  first text[] := ARRAY(SELECT jsonb_array_elements_text(esclusa.roles(relation, mapping) -> 'keys'))
    || esclusa.id_column(relation);
BEGIN
  RETURN format('SELECT coalesce(pg_catalog.json_agg(pg_catalog.to_jsonb(f) ORDER BY %s
      pg_catalog.to_jsonb(f)::pg_catalog.text COLLATE pg_catalog."C"), ''[]'') FROM %s f',
    (SELECT string_agg(format('f.%I::pg_catalog.text COLLATE pg_catalog."C", ', chosen), '')
     FROM unnest(first) AS chosen WHERE chosen IS NOT NULL), esclusa.name_of(relation));
END
$$;

-- The query that gives revision and rows at one instant: flags, or the tables that a mapping reads and the mapping.
CREATE OR REPLACE FUNCTION esclusa.reading(relation oid, mapping jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN format('SELECT r.revision, pg_catalog.json_build_object(''esclusa'', 1, ''revision'', r.revision, %s)
     FROM esclusa.revision r WHERE r.name OPERATOR(pg_catalog.=) $1',
    CASE WHEN mapping IS NULL THEN format('''flags'', (%s)', esclusa.rows_of(relation, NULL))
    ELSE format($format$'generated_at', pg_catalog.to_char(pg_catalog.to_timestamp(
          r.at_ms OPERATOR(pg_catalog./) 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'mapping', r.mapping, 'tables', (SELECT pg_catalog.json_object_agg(t.name, t.rows) FROM (%s) t)$format$,
      (SELECT string_agg(format('SELECT %L AS name, (%s) AS rows', called,
          esclusa.rows_of(oid, CASE WHEN oid = relation THEN mapping END)), ' UNION ALL ')
       FROM (SELECT relation, esclusa.flags_name(relation, mapping)
             UNION ALL SELECT sides.side, sides.called FROM esclusa.sides(relation, mapping) AS sides) AS read (oid, called))) END);
END
$$;

-- Why the caller cannot read tables that a mapping names; null if it can. No row of one that hides them all would mean
-- that nobody is named there.
CREATE OR REPLACE FUNCTION esclusa.closed(relations oid[], OUT code text, OUT problem text, OUT hint text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  SELECT 'ES005', format('%I may not read `%s`, which a mapping names', current_user, esclusa.name_of(member)),
    format('GRANT SELECT ON %s TO %I', esclusa.name_of(member), current_user)
  INTO code, problem, hint
  FROM unnest(relations) AS member JOIN pg_class ON pg_class.oid = member
  WHERE NOT has_schema_privilege(relnamespace, 'USAGE') OR NOT has_table_privilege(member, 'SELECT') AND EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = member AND attnum > 0 AND NOT attisdropped
      AND NOT has_column_privilege(member, attnum, 'SELECT'))
  LIMIT 1;
  IF code IS NULL THEN
    SELECT 'ES002', format('`%s` shows no row while row-level security is active', esclusa.name_of(member)),
      format('a policy has to let %I read', current_user)
    INTO code, problem, hint
    FROM unnest(relations) AS member WHERE row_security_active(member) AND NOT EXISTS (
      SELECT FROM pg_policy, unnest(polroles) AS role WHERE polrelid = member AND polpermissive AND polcmd IN ('r', '*')
        AND (role = 0 OR pg_has_role(role, 'MEMBER')))
    LIMIT 1;
  END IF;
END
$$;

-- What `ask` answers. The caller's path is for what reading calls: functions in views and policies.
CREATE OR REPLACE FUNCTION esclusa.answer(
  known bigint, watched text, caller_path text, OUT revision bigint, OUT snapshot json, OUT is_compared boolean)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  watch esclusa.revision := esclusa.watch_of(watched);
  relation oid := esclusa.found(watch.name);
  relations oid[] := esclusa.relations_of(relation, watch.mapping);
  parts oid[] := esclusa.parts_of(VARIADIC relations);
  now_shape text := esclusa.shape(relations, parts);
  lost oid := esclusa.uncounted(parts, watch.name);
  missing text := CASE WHEN watch.mapping IS NOT NULL THEN esclusa.missing(relation, watch.mapping) END;
  barred record;
  query text;
  has_rows boolean;
BEGIN
  IF relation IS NULL THEN
    RAISE EXCEPTION 'there is no table `%`', watch.name
      USING ERRCODE = CASE WHEN watch.mapping IS NULL THEN 'ES001' ELSE 'ES004' END;
  ELSIF missing IS NOT NULL THEN
    -- What a column or a table said would be taken for nothing said.
    RAISE EXCEPTION '%', missing USING ERRCODE = 'ES004',
      HINT = format('SELECT esclusa.watch(%L, mapping => …)', watch.name);
  ELSIF watch.mapping IS NULL AND NOT esclusa.has_flags(relation) THEN
    -- Without these columns every flag would be off.
    RAISE EXCEPTION '`%` has lost a column, expected `key` or `name`, and `enabled`', watch.name USING ERRCODE = 'ES004';
  END IF;
  IF watch.mapping IS NOT NULL THEN
    SELECT * INTO barred FROM esclusa.closed(relations[2:]);
    IF barred.code IS NULL THEN
      SELECT * INTO barred FROM esclusa.closed(relations[:1]) AS closed WHERE closed.code = 'ES005';
    END IF;
    IF barred.code IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = barred.code, MESSAGE = barred.problem, HINT = barred.hint;
    END IF;
  END IF;
  IF lost IS NOT NULL AND watch.mapping IS NULL THEN
    RAISE EXCEPTION '`%` has no trigger that counts its changes', esclusa.name_of(lost) USING ERRCODE = 'ES001',
      HINT = format('SELECT esclusa.watch(%L)', watch.name);
  ELSIF lost IS NOT NULL THEN
    -- Rows without their mapping are no flags, so the client cannot go on by itself.
    RAISE WARNING 'esclusa: `%` has no trigger that counts its changes, so that each answer has all rows: SELECT esclusa.watch(%)',
      esclusa.name_of(lost), quote_literal(watch.name);
    known := NULL;
  END IF;
  is_compared := NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::boolean;
  IF watch.shape IS DISTINCT FROM now_shape OR NOT esclusa.is_always(parts) OR esclusa.is_moving(relations, parts) THEN
    known := NULL;
  END IF;
  IF is_compared AND (watch.compared_at IS NULL OR watch.shape IS DISTINCT FROM now_shape
      OR watch.compared_at < clock_timestamp() - interval '10 minutes') THEN
    PERFORM esclusa.compare(watch.name);
  END IF;
  SELECT r.revision, is_compared AND r.has_digest INTO revision, is_compared
    FROM esclusa.revision r WHERE r.name = watch.name;
  query := format('SELECT EXISTS (SELECT FROM %s)', watch.name);
  IF revision IS DISTINCT FROM known THEN
    query := esclusa.reading(relation, watch.mapping);
    PERFORM pg_catalog.set_config('search_path', caller_path, true);
    EXECUTE query INTO revision, snapshot USING watch.name;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    has_rows := json_array_length(CASE WHEN watch.mapping IS NULL THEN snapshot -> 'flags'
      ELSE snapshot -> 'tables' -> esclusa.flags_name(relation, watch.mapping) END) > 0;
  ELSE
    PERFORM pg_catalog.set_config('search_path', caller_path, true);
    EXECUTE query INTO has_rows;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  END IF;
  IF NOT has_rows AND (row_security_active(relation)
      OR (SELECT bool_or(row_security_active(part)) FROM unnest(esclusa.parts_of(relation)) AS part)) THEN
    RAISE EXCEPTION '`%` shows no row while row-level security is active', watch.name USING ERRCODE = 'ES002',
      HINT = format('a policy has to let %I read', current_user);
  END IF;
END
$$;

-- The revision, and the snapshot if the revision is another one than `known`. It raises, instead of giving an answer
-- that would switch flags off, when row-level security hides every row (ES002), when changes are not counted (ES001),
-- when the columns of the key or the switch, or what a mapping names, are gone (ES004), and when the caller may not read a
-- table of a mapping (ES005). Where `is_compared` is false (a standby, a read-only
-- connection, rows that the owner of this schema may not read), the revision is not compared with the rows: ask with null
-- once in ten minutes.
--     SELECT revision, snapshot FROM esclusa.ask(1795961202130);
CREATE OR REPLACE FUNCTION esclusa.ask(known bigint DEFAULT NULL, watched text DEFAULT NULL)
RETURNS TABLE (revision bigint, snapshot json, is_compared boolean)
LANGUAGE sql VOLATILE AS $$
  SELECT * FROM esclusa.answer($1, $2, pg_catalog.current_setting('search_path'))
$$;

-- The whole snapshot.
CREATE OR REPLACE FUNCTION esclusa.snapshot(watched text DEFAULT NULL) RETURNS json
LANGUAGE sql VOLATILE AS $$
  SELECT snapshot FROM esclusa.answer(NULL, $1, pg_catalog.current_setting('search_path'))
$$;

----------------------------------------------------------------------------------------------------------------------
-- The history

-- The subject of a token that PostgREST (Supabase) has checked.
CREATE OR REPLACE FUNCTION esclusa.token_subject() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub',
    nullif(current_setting('request.jwt.claim.sub', true), ''));
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION esclusa.is_rollback() RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT coalesce(current_setting('esclusa.action', true), '') = 'emergency_rollback');
END
$$;

-- The query for what a statement changes: an action, the flag, what it was and what it is. Only a change after which the
-- flag is off may be named an emergency rollback.
CREATE OR REPLACE FUNCTION esclusa.changes(relation oid, operation text, roles jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  source text := CASE operation
    WHEN 'INSERT' THEN 'SELECT NULL::jsonb AS before, to_jsonb(f) AS after FROM new_rows f OFFSET 0'
    WHEN 'DELETE' THEN 'SELECT to_jsonb(f) AS before, NULL::jsonb AS after FROM old_rows f OFFSET 0'
    WHEN 'TRUNCATE' THEN format('SELECT to_jsonb(f) AS before, NULL::jsonb AS after FROM ONLY %s f OFFSET 0',
      esclusa.name_of(relation))
    WHEN 'MOVE' THEN 'SELECT to_jsonb(f) AS before, NULL::jsonb AS after FROM old_rows f
      UNION ALL SELECT NULL::jsonb, to_jsonb(f) FROM new_rows f'
    -- Both tables have the rows in the order in which they are changed.
    ELSE 'SELECT before, after
      FROM (SELECT to_jsonb(f) AS before, row_number() OVER () AS place FROM old_rows f) AS old_flag
      JOIN (SELECT to_jsonb(f) AS after, row_number() OVER () AS place FROM new_rows f) AS new_flag USING (place)'
    END;
BEGIN
  RETURN format('SELECT CASE
      WHEN %1$L AND after IS NOT NULL AND NOT esclusa.is_on(after ->> %2$L, %6$L::jsonb)
        THEN ''emergency_rollback''
      WHEN before IS NULL THEN ''create''
      WHEN after IS NULL THEN ''delete''
      WHEN after -> %2$L IS DISTINCT FROM before -> %2$L
        THEN CASE WHEN esclusa.is_on(after ->> %2$L, %6$L::jsonb) THEN ''enable'' ELSE ''disable'' END
      WHEN after -> %3$L IS DISTINCT FROM before -> %3$L THEN ''rollout_update''
      WHEN esclusa.has_tripped(after -> ''guard_state'') AND NOT esclusa.has_tripped(before -> ''guard_state'')
        THEN ''guard_trip''
      WHEN esclusa.run_of(after -> ''guard_state'') > esclusa.run_of(before -> ''guard_state'') THEN ''guard_resume''
      WHEN after #> ''{guard_state,cleared_steps}'' IS DISTINCT FROM before #> ''{guard_state,cleared_steps}''
        THEN ''guard_advance''
      ELSE ''update'' END AS action,
    coalesce(after, before) AS flag, old_value, new_value FROM (%4$s) AS source %5$s',
    esclusa.is_rollback(), roles ->> 'switch', roles ->> 'share', source,
    CASE WHEN operation <> 'UPDATE' THEN 'CROSS JOIN LATERAL (SELECT before, after) AS change (old_value, new_value)'
    -- Of a flag that stays, the difference. A rollback of a flag that is off already is recorded too.
    ELSE format('CROSS JOIN LATERAL (SELECT jsonb_object_agg(key, value), jsonb_object_agg(key, after -> key)
        FROM jsonb_each(before - %1$L::text[]) WHERE value IS DISTINCT FROM after -> key
          OR %2$L AND before - %1$L::text[] = after - %1$L::text[] AND key IN (%3$L, %4$L) AND value <> ''null''
        ) AS change (old_value, new_value)
      WHERE old_value IS NOT NULL', esclusa.noise(), esclusa.is_rollback(), roles ->> 'switch', roles ->> 'share') END,
    coalesce(roles -> 'words', '{}'));
END
$$;

-- The key of the flag that a row of another table names; what it says itself if there is no such flag.
CREATE OR REPLACE FUNCTION esclusa.key_of(flags text, by_column text, keys jsonb, said text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
DECLARE
  found text;
BEGIN
  EXECUTE format('SELECT coalesce(%s) FROM %s f WHERE format(''%%s'', f.%I) = $1 LIMIT 1',
    (SELECT string_agg(format('nullif(format(''%%s'', f.%I), '''')', key), ', ') FROM jsonb_array_elements_text(keys) AS key),
    flags, by_column) INTO found USING said;
  RETURN coalesce(found, said);
EXCEPTION WHEN OTHERS THEN
  RETURN said;
END
$$;

-- The statement that writes changes into the history. Who did it is what the transaction says (`esclusa.performed_by`),
-- else the subject of its token; both and the database's user have columns of their own besides. An id that no user has,
-- or of another type than the column, does not keep a change out of the history: the second attempt leaves out who did it,
-- the third also the flag's id.
CREATE OR REPLACE FUNCTION esclusa.history_insert(history text, relation oid, changes text, attempt integer, roles jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said text := nullif(current_setting('esclusa.performed_by', true), '');
  subject text := esclusa.token_subject();
  -- A column of somebody else's may have that name.
  reason text := CASE WHEN attempt < 3 THEN nullif(current_setting('esclusa.reason', true), '') END;
  types jsonb := (SELECT jsonb_object_agg(attname, format_type(atttypid, NULL)) FROM pg_attribute
    WHERE attrelid = to_regclass(history) AND attname IN ('feature_flag_id', 'action', 'performed_by'));
BEGIN
  RETURN format('INSERT INTO %s (feature_flag_id, action, old_value, new_value, performed_by, flag_table, flag_key,
      said_by, token_subject, database_user%s)
    SELECT (%s)::%s, action::%s, old_value, new_value, %L::%s, %L, %s, %L, %L, session_user%s FROM (%s) AS changed',
    history, CASE WHEN reason IS NOT NULL THEN ', reason' END,
    CASE WHEN attempt < 3 THEN format('flag ->> %L', roles ->> 'id') ELSE 'NULL' END,
    types ->> 'feature_flag_id', types ->> 'action',
    CASE WHEN attempt = 1 THEN coalesce(said, subject) END, types ->> 'performed_by',
    esclusa.name_of(relation),
    CASE WHEN roles ->> 'flags' IS NOT NULL AND attempt < 3
      THEN format('esclusa.key_of(%L, %L, %L, flag ->> %L)', roles ->> 'flags', roles ->> 'to', roles -> 'flag_keys', roles -> 'keys' ->> 0)
      ELSE (SELECT coalesce('coalesce(' || string_agg(format('flag ->> %L', key), ', ') || ')', 'NULL')
        FROM jsonb_array_elements_text(roles -> 'keys') AS key) END,
    said, subject, CASE WHEN reason IS NOT NULL THEN format(', %L', reason) END, changes);
END
$$;

-- Locks the history for writing, unless that would run code of others.
CREATE OR REPLACE FUNCTION esclusa.lock_history(history text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  problem text;
BEGIN
  EXECUTE format('LOCK TABLE %s IN ROW EXCLUSIVE MODE', history);
  problem := esclusa.distrust(to_regclass(history));
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '%, so the history is not written', problem USING ERRCODE = 'insufficient_privilege',
      HINT = format('expected a table of %I, without triggers of others',
        (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'esclusa'));
  END IF;
END
$$;

-- Checks now what would otherwise fail at the commit, and take the change of the flag with it.
CREATE OR REPLACE FUNCTION esclusa.check_now(relation oid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  late record;
BEGIN
  FOR late IN SELECT format('%I.%I', nspname, conname) AS name, condeferred
    FROM pg_constraint JOIN pg_namespace ON pg_namespace.oid = connamespace
    WHERE conrelid = relation AND condeferrable LOOP
    EXECUTE 'SET CONSTRAINTS ' || late.name || ' IMMEDIATE';
    IF late.condeferred THEN
      EXECUTE 'SET CONSTRAINTS ' || late.name || ' DEFERRED';
    END IF;
  END LOOP;
END
$$;

-- After each statement, and before a table is emptied. A change that switches a flag off is never refused for the sake of
-- its history, and waits a second for it at most: another transaction may hold the table, or the row of the user who acts.
CREATE OR REPLACE FUNCTION esclusa.record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' SET row_security = on AS $$
DECLARE
  history text := TG_ARGV[0];
  operation text := TG_OP;
  changes text;
  problem text;
  is_on boolean := true;
  roles jsonb := coalesce(TG_ARGV[1]::jsonb, esclusa.roles(TG_RELID, NULL));
BEGIN
  IF TG_OP IN ('UPDATE', 'DELETE') THEN
    IF NOT EXISTS (SELECT FROM old_rows) THEN
      RETURN NULL;
    END IF;
  ELSIF TG_OP = 'INSERT' THEN
    IF NOT EXISTS (SELECT FROM new_rows) THEN
      RETURN NULL;
    END IF;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    -- A trigger of another partition may drop a row that moves there. Then old and new rows have no common order.
    IF (SELECT count(*) FROM old_rows) <> (SELECT count(*) FROM new_rows) THEN
      operation := 'MOVE';
    END IF;
  END IF;
  IF NOT esclusa.is_json_safe(TG_RELID) THEN
    RAISE WARNING 'esclusa: the history of `%` is not written: a type of its columns has a cast to JSON',
      esclusa.name_of(TG_RELID);
    RETURN NULL;
  END IF;
  IF TG_OP = 'TRUNCATE' THEN
    PERFORM set_config('row_security', 'off', true);
  END IF;
  changes := esclusa.changes(TG_RELID, operation, roles);
  PERFORM esclusa.lock_history(history);
  FOR attempt IN 1..3 LOOP
    BEGIN
      EXECUTE esclusa.history_insert(history, TG_RELID, changes, attempt, roles);
      PERFORM esclusa.check_now(to_regclass(history));
      RETURN NULL;
    EXCEPTION WHEN OTHERS THEN
      problem := SQLERRM;
    END;
  END LOOP;
  RAISE EXCEPTION 'the history does not take the change: %', problem;
EXCEPTION WHEN OTHERS THEN
  IF TG_OP IN ('INSERT', 'UPDATE') THEN
    EXECUTE format('SELECT bool_or(esclusa.is_on(to_jsonb(f) ->> %L, %L::jsonb)
        AND NOT esclusa.has_tripped(to_jsonb(f) -> ''guard_state'')) FROM new_rows f', roles ->> 'switch', roles -> 'words')
      INTO is_on;
  END IF;
  IF is_on IS DISTINCT FROM false THEN
    RAISE;
  END IF;
  RAISE WARNING 'esclusa: `%` is changed without its history: %', esclusa.name_of(TG_RELID), SQLERRM;
  RETURN NULL;
END
$$;

----------------------------------------------------------------------------------------------------------------------
-- The emergency rollback

-- Runs one qualified query with the caller's path, so that triggers and policies find what their authors meant.
CREATE OR REPLACE FUNCTION esclusa.as_caller(query text, flag text, caller_path text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  counted bigint;
BEGIN
  PERFORM pg_catalog.set_config('search_path', caller_path, true);
  EXECUTE query INTO counted USING flag;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  RETURN counted;
END
$$;

-- Switches off the rows of one table that match the flag, `$1`, and says whether there are any. The switch comes first: a
-- share that cannot be 0, or a time that cannot be written, keeps no flag on.
CREATE OR REPLACE FUNCTION esclusa.switch_off(relation oid, matches text, flag text, caller_path text, roles jsonb)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  switch text := roles ->> 'switch';
  stamp text := (SELECT attname FROM pg_attribute WHERE attrelid = relation AND NOT attisdropped AND attgenerated = ''
    AND attname = esclusa.column_of(relation, 'updated_at', 'updatedAt', 'modified_at', 'modifiedAt')
    AND atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype));
  off text;
  zero text := quote_ident(roles ->> 'share') || ' = ''0''';
  stamped text := quote_ident(stamp) || ' = pg_catalog.now()';
  -- What stands before and after an assignment, to count the rows that are off then. Names may hold a `%`.
  update_rows text := format('WITH changed AS (UPDATE %s SET ', esclusa.name_of(relation));
  count_off text := format(' WHERE %s RETURNING %s::pg_catalog.text AS switch)
    SELECT pg_catalog.count(*) FROM changed WHERE NOT esclusa.is_on(switch, %L)', matches,
    coalesce(quote_ident(switch), 'NULL'), coalesce(roles -> 'words', '{}'));
  there bigint := esclusa.as_caller(
    format('SELECT pg_catalog.count(*) FROM %s WHERE %s', esclusa.name_of(relation), matches), flag, caller_path);
  word text;
  second text;
  switched bigint;
  problem text;
BEGIN
  IF there = 0 THEN
    RETURN false;
  ELSIF switch IS NULL THEN
    RAISE EXCEPTION '`%` has no column that switches a flag off', esclusa.name_of(relation)
      USING HINT = format(CASE WHEN roles ? 'flags' THEN 'DELETE FROM %s WHERE %s' ELSE 'UPDATE %s SET … WHERE %s' END,
        esclusa.name_of(relation), replace(matches, '$1', quote_literal(flag)));
  END IF;
  FOREACH word IN ARRAY esclusa.off_words(coalesce(roles -> 'words', '{}')) LOOP
    off := format('%I = %L', switch, word);
    BEGIN
      IF esclusa.as_caller(update_rows || concat_ws(', ', off, zero, stamped) || count_off, flag, caller_path) = there THEN
        RETURN true;
      END IF;
      RAISE EXCEPTION 'a row stays on';
    EXCEPTION WHEN OTHERS THEN
      -- It is undone. Alone the switch may work.
      NULL;
    END;
    BEGIN
      switched := esclusa.as_caller(update_rows || off || count_off, flag, caller_path);
      EXIT;
    EXCEPTION WHEN data_exception OR check_violation OR generated_always THEN
      -- The column may take another word.
      problem := coalesce(problem, SQLERRM);
    END;
  END LOOP;
  IF switched IS NULL THEN
    RAISE EXCEPTION '`%` of `%` stays on: %', flag, esclusa.name_of(relation), problem;
  ELSIF switched < there THEN
    RAISE EXCEPTION '`%` of `%` stays on: no policy lets % change it, or a trigger undoes the change', flag,
      esclusa.name_of(relation), current_user USING ERRCODE = 'insufficient_privilege';
  END IF;
  FOREACH second IN ARRAY array_remove(ARRAY[zero, stamped], NULL) LOOP
    BEGIN
      PERFORM esclusa.as_caller(update_rows || second || count_off, flag, caller_path);
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'esclusa: `%` is off, but not `%`: %', flag, second, SQLERRM;
    END;
  END LOOP;
  RETURN true;
EXCEPTION WHEN serialization_failure THEN
  RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM,
    HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED; SELECT esclusa.emergency_rollback(…); COMMIT';
END
$$;

-- Where a flag has this value.
CREATE OR REPLACE FUNCTION esclusa.matches(by_column text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN format('%I::pg_catalog.text OPERATOR(pg_catalog.=) $1', by_column);
END
$$;

-- Switches off what else would keep a flag on for some, where its switch only says what holds for who is not named.
CREATE OR REPLACE FUNCTION esclusa.switch_off_named(
  relation oid, by_column text, flag text, caller_path text, mapping jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  flags text := esclusa.name_of(relation);
  side jsonb;
  named text;
BEGIN
  FOR side IN SELECT entry FROM jsonb_path_query(mapping, '$.side[*] ? (exists (@.table))') AS entry LOOP
    named := CASE WHEN side ? 'to' THEN esclusa.whole_column(side -> 'to') ELSE by_column END;
    PERFORM esclusa.switch_off(esclusa.side_relation(relation, side ->> 'table'),
      format('%I::pg_catalog.text OPERATOR(pg_catalog.=) ANY (SELECT f.%I::pg_catalog.text FROM %s f WHERE f.%s)',
        side ->> 'flag', named, flags, esclusa.matches(by_column)),
      flag, caller_path, esclusa.side_roles(side, relation, mapping));
  END LOOP;
  FOREACH named IN ARRAY esclusa.columns_in(jsonb_path_query_array(mapping, '$.overrides.on.*')
      || jsonb_path_query_array(mapping, '$.side[*] ? (!exists (@.table))')) LOOP
    IF esclusa.as_caller(format('SELECT pg_catalog.count(*) FROM %s WHERE %s AND pg_catalog.btrim(%I::pg_catalog.text)
        OPERATOR(pg_catalog.<>) ALL (''{"",[],"{}","null"}''::pg_catalog.text[])', flags, esclusa.matches(by_column), named),
        flag, caller_path) > 0 THEN
      RAISE EXCEPTION '`%` of `%` stays on for those that `%` names', flag, flags, named
        USING HINT = format('UPDATE %s SET %I = NULL WHERE %s', flags, named,
          replace(esclusa.matches(by_column), '$1', quote_literal(flag)));
    END IF;
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION esclusa.roll_back(flag text, performed_by text, watched text, caller_path text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  -- What the rest of the transaction goes on with.
  said text := coalesce(current_setting('esclusa.performed_by', true), '');
  only_one text := CASE WHEN watched IS NOT NULL THEN (esclusa.watch_of(watched)).name END;
  -- Only the tables that the caller may read.
  watches esclusa.revision[] := (SELECT array_agg(readable ORDER BY name) FROM esclusa.revision AS readable
    JOIN pg_class ON pg_class.oid = esclusa.found(name)
    WHERE has_schema_privilege(relnamespace, 'USAGE') AND has_any_column_privilege(pg_class.oid, 'SELECT')
      AND (only_one IS NULL OR name = only_one));
  watch esclusa.revision;
  relation oid;
  roles jsonb;
  chosen text;
  is_found boolean := false;
  unsaid text;
BEGIN
  PERFORM set_config('esclusa.performed_by', coalesce(performed_by, said), true);
  PERFORM set_config('esclusa.action', 'emergency_rollback', true);
  -- By its key wherever it is, by its id only if no key fits.
  FOREACH watch IN ARRAY coalesce(watches, '{}') LOOP
    relation := esclusa.found(watch.name);
    roles := esclusa.roles(relation, watch.mapping);
    IF roles -> 'keys' = '[]' THEN
      unsaid := watch.name;
    END IF;
    FOR chosen IN SELECT jsonb_array_elements_text(roles -> 'keys') LOOP
      IF esclusa.switch_off(relation, esclusa.matches(chosen), flag, caller_path, roles) THEN
        IF (roles -> 'is_default')::boolean THEN
          PERFORM esclusa.switch_off_named(relation, chosen, flag, caller_path, watch.mapping);
        END IF;
        is_found := true;
        EXIT;
      END IF;
    END LOOP;
  END LOOP;
  IF NOT is_found THEN
    FOREACH watch IN ARRAY coalesce(watches, '{}') LOOP
      relation := esclusa.found(watch.name);
      roles := esclusa.roles(relation, watch.mapping);
      chosen := roles ->> 'id';
      IF chosen IS NOT NULL AND esclusa.switch_off(relation, esclusa.matches(chosen), CASE WHEN EXISTS (
          SELECT FROM pg_attribute WHERE attrelid = relation AND attname = chosen AND atttypid = 'uuid'::regtype)
          THEN lower(flag) ELSE flag END, caller_path, roles) THEN
        IF (roles -> 'is_default')::boolean THEN
          PERFORM esclusa.switch_off_named(relation, chosen, flag, caller_path, watch.mapping);
        END IF;
        is_found := true;
      END IF;
    END LOOP;
  END IF;
  PERFORM set_config('esclusa.action', '', true);
  PERFORM set_config('esclusa.performed_by', said, true);
  IF NOT is_found THEN
    RAISE EXCEPTION 'there is no flag "%", expected the key or the id of a flag', flag
      USING HINT = CASE WHEN watches IS NULL THEN format('no table is watched that %I may read', current_user)
        WHEN unsaid IS NOT NULL THEN format('`%s` has its keys inside JSON: UPDATE %s SET …', unsaid, unsaid)
        ELSE 'a flag whose row a policy hides is not found' END;
  END IF;
END
$$;

-- Switches a flag off for everybody, in every watched table that has it, and records who did it, in one transaction;
-- every app hears of it at once. The flag is named by its key, or by its id if no key fits. It is written down also if
-- the flag was off already.
--     SELECT esclusa.emergency_rollback('crm_advanced_features', '<id of the user>');
CREATE OR REPLACE FUNCTION esclusa.emergency_rollback(
  flag text, performed_by text DEFAULT NULL, watched text DEFAULT NULL) RETURNS void
LANGUAGE sql VOLATILE AS $$
  SELECT esclusa.roll_back($1, $2, $3, pg_catalog.current_setting('search_path'))
$$;

----------------------------------------------------------------------------------------------------------------------
-- Rights

-- Takes every right to an object of this file from everybody but its owner, also what default privileges gave.
CREATE OR REPLACE FUNCTION esclusa.close(relation oid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  grantee text;
BEGIN
  EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC', esclusa.name_of(relation));
  FOR grantee IN SELECT DISTINCT quote_ident(rolname) FROM pg_class, aclexplode(relacl) AS right_of
      JOIN pg_roles ON pg_roles.oid = right_of.grantee WHERE pg_class.oid = relation AND right_of.grantee <> relowner LOOP
    EXECUTE format('REVOKE ALL ON TABLE %s FROM %s CASCADE', esclusa.name_of(relation), grantee);
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION esclusa.close_function(called regprocedure) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  grantee text;
BEGIN
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', called);
  FOR grantee IN SELECT DISTINCT quote_ident(rolname) FROM pg_proc, aclexplode(proacl) AS right_of
      JOIN pg_roles ON pg_roles.oid = right_of.grantee WHERE pg_proc.oid = called AND right_of.grantee <> proowner LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %s CASCADE', called, grantee);
  END LOOP;
END
$$;

-- The wrappers that this file has made in other schemas.
CREATE OR REPLACE FUNCTION esclusa.wrappers() RETURNS SETOF regprocedure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT pg_proc.oid::regprocedure FROM pg_proc
  WHERE proname IN ('esclusa_ask', 'esclusa_snapshot') AND prosrc LIKE '%esclusa.%'
    AND proowner = (SELECT nspowner FROM pg_namespace WHERE nspname = 'esclusa')
$$;

-- Lets a role ask. What it calls acts with its own rights: it reads the flags that it may read.
CREATE OR REPLACE FUNCTION esclusa.allow(role name) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  called regprocedure;
BEGIN
  IF lower(role) = 'public' THEN
    RAISE EXCEPTION 'nothing is granted to PUBLIC, expected the name of a role';
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA esclusa TO %I', role);
  EXECUTE format('GRANT SELECT ON esclusa.revision TO %I', role);
  FOR called IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'esclusa'::regnamespace AND proname IN (
      'ask', 'snapshot', 'emergency_rollback',
      -- What these call.
      'answer', 'compare', 'reading', 'rows_of', 'closed', 'watch_of', 'found', 'relation', 'name_of', 'spelling',
      'other_spellings', 'column_of', 'key_columns', 'switch_column', 'share_column', 'id_column', 'has_flags', 'is_on',
      'own_words', 'off_words', 'parts_of', 'uncounted', 'is_always', 'is_moving', 'shape', 'columns_in', 'named_columns',
      'named_side_columns', 'whole_column', 'side_relation', 'sides', 'relations_of', 'flags_name', 'missing', 'roles',
      'side_roles', 'roll_back', 'switch_off', 'switch_off_named', 'matches', 'as_caller', 'known_to_request',
      'as_response')
    UNION ALL SELECT * FROM esclusa.wrappers() LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', called, role);
  END LOOP;
  -- What was granted until now is known then to clients that only read, and so cannot compare.
  PERFORM esclusa.compare(name) FROM esclusa.watched;
END
$$;

-- The entity tag in a request to PostgREST, and the response headers.
CREATE OR REPLACE FUNCTION esclusa.known_to_request() RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN substring(nullif(current_setting('request.headers', true), '')::json ->> 'if-none-match' FROM '\d{1,18}')::bigint;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION esclusa.as_response(revision bigint, snapshot json) RETURNS json
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM set_config('response.headers', json_build_array(json_build_object('ETag', format('"%s"', revision)))::text, true);
  IF snapshot IS NULL THEN
    PERFORM set_config('response.status', '304', true);
  END IF;
  RETURN snapshot;
END
$$;

-- `ask` in a schema that PostgREST serves: `GET` or `POST` of `/rpc/esclusa_ask` gives the snapshot as it is published, with
-- its revision as entity tag, and 304 for the entity tag that is current. `GET` is a read-only transaction, which cannot
-- compare: after a change of columns or grants it gives the whole snapshot until another client has asked.
CREATE OR REPLACE FUNCTION esclusa.expose(schema name) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  role name;
BEGIN
  EXECUTE format('DROP FUNCTION IF EXISTS %I.esclusa_ask(bigint, text)', schema);
  EXECUTE format($format$
    CREATE FUNCTION %I.esclusa_ask(known bigint DEFAULT NULL, watched text DEFAULT NULL) RETURNS json
    LANGUAGE sql VOLATILE AS $body$
      SELECT esclusa.as_response(revision, snapshot)
      FROM esclusa.ask(coalesce($1, esclusa.known_to_request()), $2)
    $body$ $format$, schema);
  PERFORM esclusa.close_function(format('%I.esclusa_ask(bigint, text)', schema)::regprocedure);
  FOR role IN SELECT rolname FROM pg_roles WHERE NOT rolsuper
      AND EXISTS (SELECT FROM pg_proc, aclexplode(proacl) AS right_of
        WHERE pronamespace = 'esclusa'::regnamespace AND proname = 'ask' AND right_of.grantee = pg_roles.oid) LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %I.esclusa_ask(bigint, text) TO %I', schema, role);
  END LOOP;
  PERFORM pg_notify('pgrst', 'reload schema');
END
$$;

----------------------------------------------------------------------------------------------------------------------
-- Watching

-- Puts a trigger on a table, again if it is there already. On a partition it may be its parent's.
CREATE OR REPLACE FUNCTION esclusa.attach(relation oid, called name, kind text, call text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relation AND tgname = called AND tgparentid <> 0) THEN
    RETURN;
  END IF;
  IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relation AND tgname = called) THEN
    EXECUTE format('DROP TRIGGER %I ON %s', called, esclusa.name_of(relation));
  END IF;
  EXECUTE format('CREATE TRIGGER %I %s EXECUTE FUNCTION %s', called, format(kind, esclusa.name_of(relation)), call);
END
$$;

-- The triggers of one table: those that count for each watch that it is part of, and those that write its history.
CREATE OR REPLACE FUNCTION esclusa.attach_all(relation oid, history text, roles jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  call text;
  counting name;
  operation text;
BEGIN
  SELECT format('esclusa.tell(%L, %s)', CASE WHEN count(DISTINCT idle) > 1 THEN 'part' ELSE max(idle) END,
      string_agg(quote_literal(name), ', ' ORDER BY name)) INTO call
    FROM (SELECT name, esclusa.idle_columns(relation, esclusa.found(name), mapping) AS idle FROM esclusa.watched
      WHERE relation = ANY (esclusa.parts_of(VARIADIC esclusa.relations_of(esclusa.found(name), mapping)))) AS of_watches;
  PERFORM esclusa.attach(relation, 'esclusa_tell', 'AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW', call);
  PERFORM esclusa.attach(relation, 'esclusa_tell_truncate', 'AFTER TRUNCATE ON %s FOR EACH STATEMENT', call);
  -- Also for what comes by replication, and while a backup is restored.
  FOREACH counting IN ARRAY '{esclusa_tell,esclusa_tell_truncate}'::name[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', esclusa.name_of(relation), counting);
  END LOOP;
  IF history IS NULL THEN
    RETURN;
  END IF;
  -- Of an earlier version of this file.
  IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relation AND tgname = 'esclusa_record') THEN
    EXECUTE format('DROP TRIGGER esclusa_record ON %s', esclusa.name_of(relation));
  END IF;
  call := format('esclusa.record(%s)', concat_ws(', ', quote_literal(history), quote_literal(roles)));
  PERFORM esclusa.attach(relation, 'esclusa_record_insert',
    'AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT', call);
  PERFORM esclusa.attach(relation, 'esclusa_record_update',
    'AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT', call);
  PERFORM esclusa.attach(relation, 'esclusa_record_delete',
    'AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT', call);
  PERFORM esclusa.attach(relation, 'esclusa_record_truncate', 'BEFORE TRUNCATE ON %s FOR EACH STATEMENT', call);
END
$$;

-- Takes the triggers for a watch from tables that are no part of it any more.
CREATE OR REPLACE FUNCTION esclusa.detach(watched text, parts oid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part oid;
  called name;
BEGIN
  FOR part IN SELECT DISTINCT tgrelid FROM pg_trigger
      WHERE tgfoid = to_regproc('esclusa.tell') AND tgparentid = 0 AND tgrelid <> ALL (parts)
        AND position('\x00'::bytea || convert_to(watched, 'UTF8') || '\x00'::bytea IN tgargs) > 0 LOOP
    IF EXISTS (SELECT FROM esclusa.watched AS other
        WHERE part = ANY (esclusa.parts_of(VARIADIC esclusa.relations_of(esclusa.found(other.name), other.mapping)))) THEN
      PERFORM esclusa.attach_all(part, NULL, NULL);
    ELSE
      FOR called IN SELECT tgname FROM pg_trigger WHERE tgrelid = part AND tgparentid = 0
          AND tgfoid IN (to_regproc('esclusa.tell'), to_regproc('esclusa.record')) LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', called, esclusa.name_of(part));
      END LOOP;
    END IF;
  END LOOP;
END
$$;

-- The history beside a table. One that exists keeps its columns and its rights.
CREATE OR REPLACE FUNCTION esclusa.history_of(relation oid) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  schema name := (SELECT nspname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid = relation);
  name text := format('%I.release_history', schema);
  history oid := to_regclass(name);
  problem text;
BEGIN
  IF history IS NULL THEN
    SELECT string_agg(esclusa.name_of(oid), ', ') INTO problem FROM pg_class
      WHERE relnamespace = to_regnamespace(quote_ident(schema)) AND relkind IN ('r', 'p', 'v')
        AND esclusa.spelling(relname) = esclusa.spelling('release_history');
    IF problem IS NOT NULL THEN
      RAISE EXCEPTION 'there is `%`, expected a history to be called `%`', problem, name;
    END IF;
    EXECUTE format('CREATE TABLE %s (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        feature_flag_id %s,
        action varchar(100),
        old_value jsonb,
        new_value jsonb,
        performed_by uuid,
        created_at timestamptz DEFAULT now())',
      name, (SELECT coalesce(max(format_type(atttypid, NULL)), 'text') FROM pg_attribute
        JOIN pg_type ON pg_type.oid = atttypid AND typnamespace = 'pg_catalog'::regnamespace
        WHERE attrelid = relation AND attname = esclusa.id_column(relation)));
    history := to_regclass(name);
    PERFORM esclusa.close(history);
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY reads ON %s FOR SELECT USING (true)', name);
  END IF;
  problem := esclusa.distrust(history);
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '%: writing it would run code of others with the rights of %', problem, current_user
      USING HINT = format('make it the table of %1$I, or let the owner of the table run this file', current_user);
  END IF;
  SELECT string_agg(rolname, ', ') INTO problem FROM pg_roles
    WHERE rolname IN ('anon', 'authenticated') AND (has_table_privilege(oid, history, 'TRUNCATE, TRIGGER')
      OR has_table_privilege(oid, history, 'INSERT, UPDATE, DELETE')
        AND NOT (SELECT relrowsecurity FROM pg_class WHERE pg_class.oid = history));
  IF problem IS NOT NULL THEN
    RAISE WARNING '`%` can be changed by %', name, problem
      USING HINT = format('REVOKE ALL ON %s FROM %s', name, problem);
  END IF;
  SELECT string_agg(format('`%s`', needed), ', ') INTO problem
    FROM unnest('{feature_flag_id,action,old_value,new_value,performed_by}'::text[]) AS needed
    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = history AND attname = needed AND NOT attisdropped);
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '`%` has no columns %', name, problem;
  END IF;
  -- Who was connected, what was said of who acts and why, whom the token names, and which flag of which table it was.
  FOR problem IN SELECT added FROM unnest('{database_user,said_by,token_subject,flag_table,flag_key,reason}'::text[]) AS added
    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = history AND attname = added AND NOT attisdropped) LOOP
    EXECUTE format('ALTER TABLE %s ADD COLUMN %I text', name, problem);
  END LOOP;
  -- The history outlives the flag. A foreign key would either keep every flag for ever or take its history with it.
  FOR problem IN SELECT conname FROM pg_constraint
    WHERE contype = 'f' AND conrelid = history AND confrelid = ANY (relation || esclusa.parts_of(relation))
      AND conparentid = 0 LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', name, problem);
    RAISE NOTICE '`%`: dropped %, so that the history outlives the flag', name, problem;
  END LOOP;
  RETURN name;
END
$$;

-- A history that is there already may refuse what is written, and every change of a flag would fail: it is tried once,
-- and undone.
CREATE OR REPLACE FUNCTION esclusa.try_history(
  history text, relation oid, roles jsonb,
  actions text[] DEFAULT '{create,delete,enable,disable,rollout_update,update,emergency_rollback}') RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM esclusa.lock_history(history);
  EXECUTE esclusa.history_insert(history, relation, format('SELECT action, ''{}''::jsonb AS flag,
    ''{}''::jsonb AS old_value, ''{}''::jsonb AS new_value FROM unnest(%L::text[]) AS action', actions), 3, roles);
  PERFORM esclusa.check_now(to_regclass(history));
  RAISE EXCEPTION USING ERRCODE = 'ES000';
EXCEPTION
  WHEN SQLSTATE 'ES000' THEN NULL;
END
$$;

-- Refuses a mapping that cannot fit the table: of what it means only its names are checked here.
CREATE OR REPLACE FUNCTION esclusa.check_mapping(relation oid, mapping jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  entries CONSTANT text[] := '{esclusa_mapping,table,each,name,label,ignore,enabled,default,off_when,status,
    rollout_percentage,target_plans,target_roles,target_companies,target_regions,target_users,overrides,require,start_date,
    end_date,bucket_by,salt,counts,fold,side,variants,value,conditions}';
  called text := esclusa.name_of(relation);
  problem text := esclusa.missing(relation, mapping);
BEGIN
  IF jsonb_typeof(mapping) <> 'object' OR (mapping -> 'esclusa_mapping' = '1') IS NOT TRUE THEN
    RAISE EXCEPTION 'mapping: no mapping that is known here, expected an object with `"esclusa_mapping": 1`'
      USING HINT = 'mapping => ''null'' takes a mapping away';
  END IF;
  SELECT format('mapping, `%s`: is no entry that is known here, expected one of %s', entry, array_to_string(entries, ', '))
    INTO problem FROM jsonb_object_keys(mapping) AS entry WHERE entry <> ALL (entries);
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '%', problem;
  END IF;
  problem := esclusa.missing(relation, mapping);
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '%', problem USING ERRCODE = CASE WHEN problem LIKE 'there is no table%' THEN 'undefined_table'
      ELSE 'undefined_column' END;
  ELSIF esclusa.side_relation(relation, esclusa.flags_name(relation, mapping)) IS DISTINCT FROM relation THEN
    RAISE EXCEPTION 'mapping, `table`: `%` is another table than `%`, which is watched', mapping ->> 'table', called;
  ELSIF relation IN (SELECT side FROM esclusa.sides(relation, mapping)) THEN
    RAISE EXCEPTION 'mapping, `side`: `%` is the table of the flags itself, expected another one', called;
  ELSIF NOT mapping ? 'table' AND EXISTS (SELECT FROM esclusa.sides(relation, mapping) AS sides WHERE sides.called = 'flags')
  THEN
    RAISE EXCEPTION 'mapping, `table`: is missing, and `side` names a table `flags`, expected the name of `%`', called;
  ELSIF NOT mapping ? 'name' AND esclusa.key_columns(relation) = '{}' THEN
    RAISE EXCEPTION 'mapping, `name`: is missing, and `%` has no column `key` or `name`, expected the column that names a flag',
      called;
  ELSIF NOT mapping ?| '{enabled,default,fold,side}' AND esclusa.switch_column(relation) IS NULL THEN
    RAISE EXCEPTION 'mapping, `enabled`: is missing, and `%` has no column `enabled`, expected the column that says on or off',
      called;
  END IF;
END
$$;

-- Keys that several rows have, where no mapping folds or chooses rows.
CREATE OR REPLACE FUNCTION esclusa.twins(relation oid, mapping jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  keys jsonb := esclusa.roles(relation, mapping) -> 'keys';
  found text;
BEGIN
  -- A view would run its owner's functions with the rights of who calls this.
  IF mapping ?| '{fold,counts}' OR keys = '[]' OR (SELECT relkind FROM pg_class WHERE oid = relation) = 'v' THEN
    RETURN NULL;
  END IF;
  EXECUTE format('SELECT string_agg(key, '', '') FROM (SELECT coalesce(%s) AS key FROM %s GROUP BY 1
    HAVING count(*) > 1 LIMIT 10) AS twins',
    (SELECT string_agg(format('nullif(format(''%%s'', %I), '''')', key), ', ') FROM jsonb_array_elements_text(keys) AS key),
    esclusa.name_of(relation)) INTO found;
  RETURN found;
END
$$;

-- Attaches to a table, a partitioned table, or a view of tables, and gives its name as `ask` takes it. It may be called
-- again, and must be when tables have come to it or have lost their triggers. A mapping (`MAPPING.md`) says what other
-- columns mean and which tables have rows of the flags besides: it stays until another takes its place, or 'null' takes it
-- away, and `undo_mapping` puts the one before back.
--     SELECT esclusa.watch('public.feature_flags');
--     SELECT esclusa.watch('public.flags', mapping => '{"esclusa_mapping": 1, "name": "slug", "enabled": "is_active"}');
CREATE OR REPLACE FUNCTION esclusa.watch(watched text, mapping jsonb DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  rename CONSTANT text := 'a mapping says what other columns mean: SELECT esclusa.watch(%L, mapping => ''{"esclusa_mapping": 1, '
    '"name": "slug", "enabled": "is_enabled"}''); a view can give columns other names: CREATE VIEW flags AS SELECT slug AS key, '
    'is_enabled AS enabled …';
  relation oid := esclusa.relation(watched);
  called text := esclusa.name_of(relation);
  problem text;
  parts oid[];
  part oid;
  history text;
  roles jsonb;
  old_mapping jsonb;
  new_mapping jsonb;
BEGIN
  LOCK TABLE esclusa.watched IN SHARE ROW EXCLUSIVE MODE;
  old_mapping := (SELECT stored.mapping FROM esclusa.watched AS stored WHERE name = called);
  new_mapping := nullif(coalesce(watch.mapping, old_mapping), 'null');
  IF new_mapping IS NOT NULL THEN
    PERFORM esclusa.check_mapping(relation, new_mapping);
  ELSIF esclusa.key_columns(relation) = '{}' THEN
    RAISE EXCEPTION '`%` has no column that names a flag, expected `name` or `key`', called USING HINT = format(rename, called);
  ELSIF esclusa.switch_column(relation) IS NULL THEN
    RAISE EXCEPTION '`%` has no column that switches a flag on and off, expected `enabled`', called
      USING HINT = format(rename, called);
  END IF;
  parts := esclusa.parts_of(VARIADIC esclusa.relations_of(relation, new_mapping));
  SELECT string_agg(format('`%s`', esclusa.name_of(oid)), ', ') INTO problem FROM pg_class
    WHERE oid = ANY (parts) AND (relkind NOT IN ('r', 'p') OR relpersistence = 't');
  IF problem IS NOT NULL OR parts = '{}' THEN
    RAISE EXCEPTION '`%` shows rows of %, whose changes call no trigger', called,
      coalesce(problem, 'no table') USING HINT = 'expected a table, or a view of tables';
  END IF;
  INSERT INTO esclusa.watched (name, at_ms, changes, mapping) VALUES (called, esclusa.clock_ms(), 0, new_mapping)
    ON CONFLICT (name) DO UPDATE SET mapping = excluded.mapping;
  -- Parents come first: their partitions get the triggers from them.
  FOR part IN SELECT oid FROM pg_class WHERE oid = ANY (parts)
      ORDER BY oid <> ALL (esclusa.parts_of(relation)), relkind, relispartition, oid LOOP
    roles := esclusa.roles_of(part, relation, new_mapping);
    history := CASE WHEN roles IS NOT NULL THEN esclusa.history_of(part) END;
    PERFORM esclusa.attach_all(part, history, CASE WHEN new_mapping IS NOT NULL THEN roles END);
    IF history IS NOT NULL THEN
      PERFORM esclusa.try_history(history, part, roles);
    END IF;
  END LOOP;
  PERFORM esclusa.detach(called, parts);
  problem := esclusa.twins(relation, new_mapping);
  IF problem IS NOT NULL THEN
    RAISE WARNING '`%` has several rows of one key: %', called, problem
      USING HINT = 'a flag that stands twice with different definitions is off';
  END IF;
  -- The table may have changed without its triggers.
  PERFORM esclusa.raise_revision(called);
  UPDATE esclusa.watched SET shape = NULL, digest = NULL, compared_at = NULL WHERE name = called;
  PERFORM esclusa.compare(called);
  IF old_mapping IS DISTINCT FROM new_mapping THEN
    INSERT INTO esclusa.mapping_history (watched, revision, old_mapping, new_mapping, said_by, token_subject)
      SELECT name, revision, old_mapping, new_mapping, nullif(current_setting('esclusa.performed_by', true), ''),
        esclusa.token_subject()
      FROM esclusa.revision WHERE name = called;
  END IF;
  RETURN called;
END
$$;

-- Puts the mapping back that a watch had before the last change; called again, the later one.
--     SELECT esclusa.undo_mapping('public.flags');
CREATE OR REPLACE FUNCTION esclusa.undo_mapping(watched text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  called text := (esclusa.watch_of(undo_mapping.watched)).name;
  before esclusa.mapping_history;
BEGIN
  SELECT * INTO before FROM esclusa.mapping_history WHERE watched = called ORDER BY changed_at DESC LIMIT 1;
  IF before.watched IS NULL THEN
    RAISE EXCEPTION '`%` has had no other mapping', called;
  END IF;
  RETURN esclusa.watch(called, coalesce(before.old_mapping, 'null'));
END
$$;

-- Takes a watch and its triggers away; the rows, and the histories of them and of the mapping, stay.
--     SELECT esclusa.unwatch('public.flags');
CREATE OR REPLACE FUNCTION esclusa.unwatch(watched text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  called text := (esclusa.watch_of(unwatch.watched)).name;
BEGIN
  LOCK TABLE esclusa.watched IN SHARE ROW EXCLUSIVE MODE;
  DELETE FROM esclusa.watched WHERE name = called;
  DELETE FROM esclusa.change WHERE watched = called;
  PERFORM esclusa.detach(called, '{}');
  PERFORM pg_notify('esclusa', called);
END
$$;

-- A table of flags for a database that has none, closed to everybody but its owner, and watched.
--     SELECT esclusa.create_flags('public.feature_flags');
CREATE OR REPLACE FUNCTION esclusa.create_flags(name text) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parts text[] := parse_ident(name);
  called text := quote_ident(parts[1]) || '.' || quote_ident(parts[2]);
  others text := esclusa.other_spellings(parts[cardinality(parts)]);
BEGIN
  IF cardinality(parts) <> 2 THEN
    RAISE EXCEPTION '`%` has no schema, expected a name like `public.feature_flags`', name;
  ELSIF others IS NOT NULL THEN
    RAISE EXCEPTION 'there is % already', others USING ERRCODE = 'duplicate_table',
      HINT = format('SELECT esclusa.watch(%L)', replace(split_part(others, ', ', 1), '`', ''));
  END IF;
  EXECUTE format('CREATE TABLE %s (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(255) NOT NULL UNIQUE,
    description text,
    enabled boolean DEFAULT false,
    rollout_percentage integer DEFAULT 0,
    target_plans text[],
    target_roles text[],
    target_companies uuid[],
    target_regions text[],
    start_date timestamptz,
    end_date timestamptz,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now())', called);
  PERFORM esclusa.close(to_regclass(called));
  RETURN esclusa.watch(called);
END
$$;

----------------------------------------------------------------------------------------------------------------------
-- The first version of this file, which kept its objects beside the table

-- Until 0.2 its names go on, so that apps which run the present version hear of a rollback while others start anew.
CREATE OR REPLACE FUNCTION esclusa.take_over(schema name) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  flags text := format('%I.feature_flags', schema);
  before bigint;
  role name;
BEGIN
  EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', flags);
  EXECUTE format('SELECT revision FROM %I.esclusa_revision', schema) INTO before;
  EXECUTE format('DROP TABLE IF EXISTS %1$I.esclusa_revision, %1$I.esclusa_change', schema);
  EXECUTE format('DROP FUNCTION IF EXISTS %1$I.esclusa_snapshot(), %1$I.esclusa_tell(), %1$I.esclusa_commit(),
    %1$I.esclusa_record(), %1$I.esclusa_record_truncate(), %1$I.esclusa_performed_by(),
    %1$I.esclusa_action(jsonb, jsonb), %1$I.esclusa_next_revision(bigint) CASCADE', schema);
  PERFORM esclusa.watch(flags);
  UPDATE esclusa.watched SET at_ms = greatest(at_ms, before) WHERE name = flags;
  PERFORM esclusa.raise_revision(flags);
  EXECUTE format('CREATE VIEW %I.esclusa_revision AS
    SELECT true AS is_only, revision FROM esclusa.revision WHERE name = %L', schema, flags);
  PERFORM esclusa.close(format('%I.esclusa_revision', schema)::regclass);
  EXECUTE format('CREATE FUNCTION %I.esclusa_snapshot() RETURNS json LANGUAGE sql VOLATILE AS %L',
    schema, format('SELECT esclusa.snapshot(%L)', flags));
  PERFORM esclusa.close_function(format('%I.esclusa_snapshot()', schema)::regprocedure);
  EXECUTE format('CREATE OR REPLACE FUNCTION %I.emergency_rollback(flag text, performed_by uuid) RETURNS void
    LANGUAGE sql VOLATILE AS %L', schema, format('SELECT esclusa.emergency_rollback($1, $2::pg_catalog.text, %L)', flags));
  EXECUTE format('ALTER FUNCTION %I.emergency_rollback(text, uuid) RESET ALL', schema);
  FOR role IN SELECT rolname FROM pg_roles
    WHERE has_table_privilege(oid, flags, 'SELECT') AND NOT rolsuper AND rolname !~ '^pg_' LOOP
    EXECUTE format('GRANT SELECT ON %I.esclusa_revision TO %I', schema, role);
    PERFORM esclusa.allow(role);
  END LOOP;
END
$$;

DO $$
DECLARE
  role name;
  part record;
BEGIN
  EXECUTE 'REVOKE ALL ON SCHEMA esclusa FROM PUBLIC';
  FOR role IN SELECT DISTINCT rolname FROM pg_namespace, aclexplode(nspacl) AS right_of
      JOIN pg_roles ON pg_roles.oid = grantee WHERE nspname = 'esclusa' AND grantee <> nspowner LOOP
    EXECUTE format('REVOKE ALL ON SCHEMA esclusa FROM %I CASCADE', role);
  END LOOP;
  -- The view of 002_guard.sql keeps the rights that people have given.
  PERFORM esclusa.close(oid) FROM pg_class
    WHERE relnamespace = 'esclusa'::regnamespace AND relkind IN ('r', 'v') AND relname <> 'metrics';
  PERFORM esclusa.close_function(oid) FROM pg_proc WHERE pronamespace = 'esclusa'::regnamespace;
  FOR role IN SELECT rolname FROM json_array_elements_text(current_setting('esclusa.allowed')::json) AS allowed (name)
      JOIN pg_roles ON rolname = allowed.name LOOP
    PERFORM esclusa.allow(role);
  END LOOP;
  FOR part IN SELECT pg_proc.oid::regprocedure AS called, rolname
      FROM json_array_elements(current_setting('esclusa.allowed_guard')::json) AS allowed
      JOIN pg_proc ON proname = allowed ->> 0 AND pronamespace = 'esclusa'::regnamespace
      JOIN pg_roles ON rolname = allowed ->> 1 LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA esclusa TO %I', part.rolname);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', part.called, part.rolname);
  END LOOP;
  -- Watched tables get the triggers of this version.
  FOR part IN SELECT name FROM esclusa.watched LOOP
    IF esclusa.found(part.name) IS NULL THEN
      RAISE WARNING 'there is no table `%` any more', part.name;
    ELSE
      PERFORM esclusa.watch(part.name);
    END IF;
  END LOOP;
  FOR part IN SELECT nspname FROM pg_class AS revision JOIN pg_namespace ON pg_namespace.oid = revision.relnamespace
    JOIN pg_class AS flags ON flags.relnamespace = revision.relnamespace AND flags.relname = 'feature_flags'
    JOIN pg_attribute ON attrelid = revision.oid AND attname = 'revision' AND atttypid = 'bigint'::regtype
    WHERE revision.relname = 'esclusa_revision' AND revision.relkind = 'r' AND flags.relkind = 'r'
      AND esclusa.is_trusted(revision.relowner) LOOP
    PERFORM esclusa.take_over(part.nspname);
  END LOOP;
END
$$;

SELECT set_config('search_path', current_setting('esclusa.caller_path'), false);
