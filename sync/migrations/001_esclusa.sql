-- Esclusa in a Postgres database: revisions, notifications, a history and an emergency rollback for tables of flags.
--
--     psql --single-transaction -v ON_ERROR_STOP=1 -f 001_esclusa.sql
--     psql -c "SELECT esclusa.watch('public.feature_flags')" -c "SELECT esclusa.allow('app')"
--
-- Everything is in the schema `esclusa`. The file creates no table of flags and changes none; `esclusa.watch` attaches
-- to a table that exists, `esclusa.create_flags` creates one. The file may be run again. Over the first version of this
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

-- What an earlier version of this file called for itself, perhaps with other parameters.
DO $$
DECLARE
  helper regprocedure;
BEGIN
  FOR helper IN SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace = to_regnamespace('esclusa') AND prorettype <> 'trigger'::regtype
      AND proname NOT IN ('watch', 'create_flags', 'allow', 'ask', 'snapshot', 'emergency_rollback', 'expose') LOOP
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
ALTER TABLE esclusa.watched ENABLE ROW LEVEL SECURITY;
ALTER TABLE esclusa.change ENABLE ROW LEVEL SECURITY;

-- Rises with every commit that changes something, also after a restored backup: the next change has the clock's time.
CREATE OR REPLACE VIEW esclusa.revision AS
  SELECT watched.name,
    greatest(watched.at_ms, max(change.at_ms)) + watched.changes + count(change.at_ms) AS revision,
    watched.shape, watched.compared_at, watched.digest IS NOT NULL AS has_digest
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

-- The words for off, in the order in which a rollback tries them: a column may be a boolean, a number, an enum, or a text
-- that a constraint restricts.
CREATE OR REPLACE FUNCTION esclusa.off_words() RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  words text[] := '{false,0,off,no,disabled,inactive,f,n}';
BEGIN
  RETURN words || ARRAY(SELECT initcap(word) FROM unnest(words) AS word) || ARRAY(SELECT upper(word) FROM unnest(words) AS word);
END
$$;

----------------------------------------------------------------------------------------------------------------------
-- The parts of a watch

-- The tables whose rows a relation shows: itself, its partitions and children, and those that a view reads.
CREATE OR REPLACE FUNCTION esclusa.parts_of(relation oid) RETURNS oid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(
  WITH RECURSIVE reached AS (
    SELECT $1 AS oid
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
CREATE OR REPLACE FUNCTION esclusa.shape(relation oid, parts oid[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT md5(string_agg(part, E'\n' ORDER BY part))
  FROM (SELECT listed AS oid, esclusa.name_of(listed) AS name
        FROM (SELECT relation UNION SELECT unnest(parts)) AS list (listed) OFFSET 0) AS member
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
CREATE OR REPLACE FUNCTION esclusa.is_moving(relation oid, parts oid[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  moving text := '\m(now|transaction_timestamp|statement_timestamp|clock_timestamp|timeofday|random|current_setting)\(|'
    '\m(CURRENT_DATE|CURRENT_TIME|CURRENT_TIMESTAMP|LOCALTIME|LOCALTIMESTAMP)\M';
BEGIN
  RETURN EXISTS (
    WITH RECURSIVE seen AS (
      SELECT relation AS oid
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

-- Whether two rows of a flag have the same answers: columns that change none (2.2.3 of SEMANTICS.md) may differ.
CREATE OR REPLACE FUNCTION esclusa.is_same(before jsonb, after jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  without text[] := esclusa.noise() || '{id,description,created_at,createdAt,created_by,createdBy}'::text[]
    -- Beside a key the name is a label.
    || CASE WHEN before ->> 'key' IS NOT NULL AND after ->> 'key' IS NOT NULL THEN '{name}'::text[] ELSE '{}' END;
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
-- run for changes that come by replication. The first argument is `flags` for a table of flags, and `part` for a table that
-- a view reads: of that every column may matter.
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
    ELSIF TG_ARGV[0] = 'flags' AND esclusa.is_json_safe(TG_RELID) THEN
      IF esclusa.is_same(to_jsonb(OLD), to_jsonb(NEW)) THEN
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

-- The revision and a digest of all rows, at one instant. Rows are compared as `format` prints them, which calls no cast
-- that somebody has written, and only those of tables: a view would run its owner's functions with the rights of this
-- schema's owner.
CREATE OR REPLACE FUNCTION esclusa.measure(watched text, OUT at_revision bigint, OUT digest text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET timezone = 'UTC'
SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET extra_float_digits = 1 SET bytea_output = 'hex' AS $$
DECLARE
  member text;
  query text := '';
BEGIN
  FOR member IN SELECT esclusa.name_of(part) FROM unnest(esclusa.parts_of(esclusa.found(watched))) AS part ORDER BY 1 LOOP
    -- A locked table cannot become a view before it is read.
    EXECUTE format('LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT', member);
    IF (SELECT relkind FROM pg_class WHERE oid = to_regclass(member)) = 'r' THEN
      query := query || format(
        ' || (SELECT concat(count(*), md5(string_agg(row_digest, '''' ORDER BY row_digest)))
          FROM ONLY %s f CROSS JOIN LATERAL (SELECT md5(format(''%%s'', f))) AS digested (row_digest))', member);
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
  now_shape text;
  measured record;
BEGIN
  SELECT watched.* INTO stored FROM esclusa.watched WHERE name = called FOR UPDATE SKIP LOCKED;
  relation := esclusa.found(stored.name);
  now_shape := esclusa.shape(relation, esclusa.parts_of(relation));
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

-- The query that gives revision and rows at one instant. Its order is total, and depends on no column before the key.
CREATE OR REPLACE FUNCTION esclusa.reading(relation oid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT format(
    'SELECT r.revision, pg_catalog.json_build_object(''esclusa'', 1, ''revision'', r.revision, ''flags'', (
       SELECT coalesce(pg_catalog.json_agg(pg_catalog.to_jsonb(f) ORDER BY %s pg_catalog.to_jsonb(f)::pg_catalog.text
         COLLATE pg_catalog."C"), ''[]'') FROM %s f))
     FROM esclusa.revision r WHERE r.name OPERATOR(pg_catalog.=) $1',
    (SELECT string_agg(format('f.%I::pg_catalog.text COLLATE pg_catalog."C", ', chosen), '')
     FROM unnest(esclusa.key_columns(relation) || esclusa.id_column(relation)) AS chosen
     WHERE chosen IS NOT NULL),
    esclusa.name_of(relation)));
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
  parts oid[] := esclusa.parts_of(relation);
  now_shape text := esclusa.shape(relation, parts);
  lost oid := esclusa.uncounted(parts, watch.name);
  query text;
  has_rows boolean;
BEGIN
  IF relation IS NULL THEN
    RAISE EXCEPTION 'there is no table `%`', watch.name USING ERRCODE = 'ES001';
  END IF;
  IF lost IS NOT NULL THEN
    RAISE EXCEPTION '`%` has no trigger that counts its changes', esclusa.name_of(lost) USING ERRCODE = 'ES001',
      HINT = format('SELECT esclusa.watch(%L)', watch.name);
  END IF;
  IF NOT esclusa.has_flags(relation) THEN
    -- Without these columns every flag would be off.
    RAISE EXCEPTION '`%` has lost a column, expected `key` or `name`, and `enabled`', watch.name USING ERRCODE = 'ES004';
  END IF;
  is_compared := NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::boolean;
  IF watch.shape IS DISTINCT FROM now_shape OR NOT esclusa.is_always(parts) OR esclusa.is_moving(relation, parts) THEN
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
    query := esclusa.reading(relation);
    PERFORM pg_catalog.set_config('search_path', caller_path, true);
    EXECUTE query INTO revision, snapshot USING watch.name;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    has_rows := json_array_length(snapshot -> 'flags') > 0;
  ELSE
    PERFORM pg_catalog.set_config('search_path', caller_path, true);
    EXECUTE query INTO has_rows;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  END IF;
  IF NOT has_rows AND (row_security_active(relation)
      OR (SELECT bool_or(row_security_active(part)) FROM unnest(parts) AS part)) THEN
    RAISE EXCEPTION '`%` shows no row while row-level security is active', watch.name USING ERRCODE = 'ES002',
      HINT = format('a policy has to let %I read', current_user);
  END IF;
END
$$;

-- The revision, and the snapshot if the revision is another one than `known`. It raises, instead of giving an answer
-- that would switch flags off, when row-level security hides every row (ES002), when changes are not counted (ES001), and
-- when the columns of the key or the switch are gone (ES004). Where `is_compared` is false (a standby, a read-only
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
CREATE OR REPLACE FUNCTION esclusa.changes(relation oid, operation text) RETURNS text
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
      WHEN %1$L AND after IS NOT NULL AND NOT esclusa.is_on(after ->> %2$L) THEN ''emergency_rollback''
      WHEN before IS NULL THEN ''create''
      WHEN after IS NULL THEN ''delete''
      WHEN after -> %2$L IS DISTINCT FROM before -> %2$L
        THEN CASE WHEN esclusa.is_on(after ->> %2$L) THEN ''enable'' ELSE ''disable'' END
      WHEN after -> %3$L IS DISTINCT FROM before -> %3$L THEN ''rollout_update''
      ELSE ''update'' END AS action,
    coalesce(after, before) AS flag, old_value, new_value FROM (%4$s) AS source %5$s',
    esclusa.is_rollback(), esclusa.switch_column(relation), esclusa.share_column(relation), source,
    CASE WHEN operation <> 'UPDATE' THEN 'CROSS JOIN LATERAL (SELECT before, after) AS change (old_value, new_value)'
    -- Of a flag that stays, the difference. A rollback of a flag that is off already is recorded too.
    ELSE format('CROSS JOIN LATERAL (SELECT jsonb_object_agg(key, value), jsonb_object_agg(key, after -> key)
        FROM jsonb_each(before - %1$L::text[]) WHERE value IS DISTINCT FROM after -> key
          OR %2$L AND before - %1$L::text[] = after - %1$L::text[] AND key IN (%3$L, %4$L) AND value <> ''null''
        ) AS change (old_value, new_value)
      WHERE old_value IS NOT NULL', esclusa.noise(), esclusa.is_rollback(), esclusa.switch_column(relation),
      esclusa.share_column(relation)) END);
END
$$;

-- The statement that writes changes into the history. Who did it is what the transaction says (`esclusa.performed_by`),
-- else the subject of its token; both and the database's user have columns of their own besides. An id that no user has,
-- or of another type than the column, does not keep a change out of the history: the second attempt leaves out who did it,
-- the third also the flag's id.
CREATE OR REPLACE FUNCTION esclusa.history_insert(history text, relation oid, changes text, attempt integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said text := nullif(current_setting('esclusa.performed_by', true), '');
  subject text := esclusa.token_subject();
  types jsonb := (SELECT jsonb_object_agg(attname, format_type(atttypid, NULL)) FROM pg_attribute
    WHERE attrelid = to_regclass(history) AND attname IN ('feature_flag_id', 'action', 'performed_by'));
BEGIN
  RETURN format('INSERT INTO %s (feature_flag_id, action, old_value, new_value, performed_by, flag_table, flag_key,
      said_by, token_subject, database_user)
    SELECT (%s)::%s, action::%s, old_value, new_value, %L::%s, %L, coalesce(%s), %L, %L, session_user FROM (%s) AS changed',
    history,
    CASE WHEN attempt < 3 THEN format('flag ->> %L', esclusa.id_column(relation)) ELSE 'NULL' END,
    types ->> 'feature_flag_id', types ->> 'action',
    CASE WHEN attempt = 1 THEN coalesce(said, subject) END, types ->> 'performed_by',
    esclusa.name_of(relation),
    (SELECT string_agg(format('flag ->> %L', key), ', ') FROM unnest(esclusa.key_columns(relation)) AS key),
    said, subject, changes);
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
  changes := esclusa.changes(TG_RELID, operation);
  PERFORM esclusa.lock_history(history);
  FOR attempt IN 1..3 LOOP
    BEGIN
      EXECUTE esclusa.history_insert(history, TG_RELID, changes, attempt);
      PERFORM esclusa.check_now(to_regclass(history));
      RETURN NULL;
    EXCEPTION WHEN OTHERS THEN
      problem := SQLERRM;
    END;
  END LOOP;
  RAISE EXCEPTION 'the history does not take the change: %', problem;
EXCEPTION WHEN OTHERS THEN
  IF TG_OP IN ('INSERT', 'UPDATE') THEN
    EXECUTE format('SELECT bool_or(esclusa.is_on(to_jsonb(f) ->> %L)) FROM new_rows f', esclusa.switch_column(TG_RELID))
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

-- Switches off the rows of one table whose column has this value, and says whether there are any. The switch comes first:
-- a share that cannot be 0, or a time that cannot be written, keeps no flag on.
CREATE OR REPLACE FUNCTION esclusa.switch_off(relation oid, by_column text, flag text, caller_path text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  switch text := esclusa.switch_column(relation);
  stamp text := (SELECT attname FROM pg_attribute WHERE attrelid = relation AND NOT attisdropped AND attgenerated = ''
    AND attname = esclusa.column_of(relation, 'updated_at', 'updatedAt', 'modified_at', 'modifiedAt')
    AND atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype));
  off text;
  zero text := quote_ident(esclusa.share_column(relation)) || ' = ''0''';
  stamped text := quote_ident(stamp) || ' = pg_catalog.now()';
  matches text := format('%I::pg_catalog.text OPERATOR(pg_catalog.=) $1', by_column);
  -- What stands before and after an assignment, to count the rows that are off then. Names may hold a `%`.
  update_rows text := format('WITH changed AS (UPDATE %s SET ', esclusa.name_of(relation));
  count_off text := format(' WHERE %s RETURNING %I::pg_catalog.text AS switch)
    SELECT pg_catalog.count(*) FROM changed WHERE NOT esclusa.is_on(switch)', matches, coalesce(switch, by_column));
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
      USING HINT = format('UPDATE %s SET … WHERE %I = %L', esclusa.name_of(relation), by_column, flag);
  END IF;
  FOREACH word IN ARRAY esclusa.off_words() LOOP
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

CREATE OR REPLACE FUNCTION esclusa.roll_back(flag text, performed_by text, watched text, caller_path text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  -- What the rest of the transaction goes on with.
  said text := coalesce(current_setting('esclusa.performed_by', true), '');
  only_one text := CASE WHEN watched IS NOT NULL THEN (esclusa.watch_of(watched)).name END;
  -- Only the tables that the caller may read.
  relations oid[] := (SELECT array_agg(pg_class.oid ORDER BY name) FROM esclusa.revision
    JOIN pg_class ON pg_class.oid = esclusa.found(name)
    WHERE has_schema_privilege(relnamespace, 'USAGE') AND has_any_column_privilege(pg_class.oid, 'SELECT')
      AND (only_one IS NULL OR name = only_one));
  relation oid;
  chosen text;
  is_found boolean := false;
BEGIN
  PERFORM set_config('esclusa.performed_by', coalesce(performed_by, said), true);
  PERFORM set_config('esclusa.action', 'emergency_rollback', true);
  -- By its key wherever it is, by its id only if no key fits.
  FOREACH relation IN ARRAY coalesce(relations, '{}') LOOP
    FOREACH chosen IN ARRAY esclusa.key_columns(relation) LOOP
      IF esclusa.switch_off(relation, chosen, flag, caller_path) THEN
        is_found := true;
        EXIT;
      END IF;
    END LOOP;
  END LOOP;
  IF NOT is_found THEN
    FOREACH relation IN ARRAY coalesce(relations, '{}') LOOP
      chosen := esclusa.id_column(relation);
      IF chosen IS NOT NULL AND esclusa.switch_off(relation, chosen, CASE WHEN EXISTS (SELECT FROM pg_attribute
          WHERE attrelid = relation AND attname = chosen AND atttypid = 'uuid'::regtype)
          THEN lower(flag) ELSE flag END, caller_path) THEN
        is_found := true;
      END IF;
    END LOOP;
  END IF;
  PERFORM set_config('esclusa.action', '', true);
  PERFORM set_config('esclusa.performed_by', said, true);
  IF NOT is_found THEN
    RAISE EXCEPTION 'there is no flag "%", expected the key or the id of a flag', flag
      USING HINT = CASE WHEN relations IS NULL THEN format('no table is watched that %I may read', current_user)
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
      'answer', 'compare', 'reading', 'watch_of', 'found', 'relation', 'name_of', 'spelling', 'other_spellings', 'column_of',
      'key_columns', 'switch_column', 'share_column', 'id_column', 'has_flags', 'is_on', 'off_words', 'parts_of', 'uncounted',
      'is_always', 'is_moving', 'shape', 'roll_back', 'switch_off', 'as_caller', 'known_to_request', 'as_response')
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
CREATE OR REPLACE FUNCTION esclusa.attach_all(relation oid, history text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  call text;
  counting name;
  operation text;
BEGIN
  SELECT format('esclusa.tell(%L, %s)', CASE WHEN bool_or(relkind = 'v') THEN 'part' ELSE 'flags' END,
      string_agg(quote_literal(name), ', ' ORDER BY name)) INTO call
    FROM esclusa.watched JOIN pg_class ON pg_class.oid = esclusa.found(name)
    WHERE relation = ANY (esclusa.parts_of(esclusa.found(name)));
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
  call := format('esclusa.record(%L)', history);
  PERFORM esclusa.attach(relation, 'esclusa_record_insert',
    'AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT', call);
  PERFORM esclusa.attach(relation, 'esclusa_record_update',
    'AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT', call);
  PERFORM esclusa.attach(relation, 'esclusa_record_delete',
    'AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT', call);
  PERFORM esclusa.attach(relation, 'esclusa_record_truncate', 'BEFORE TRUNCATE ON %s FOR EACH STATEMENT', call);
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
  -- Who was connected, what was said of who acts, whom the token names, and which flag of which table it was.
  FOR problem IN SELECT added FROM unnest('{database_user,said_by,token_subject,flag_table,flag_key}'::text[]) AS added
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
CREATE OR REPLACE FUNCTION esclusa.try_history(history text, relation oid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM esclusa.lock_history(history);
  EXECUTE esclusa.history_insert(history, relation, 'SELECT action, ''{}''::jsonb AS flag, ''{}''::jsonb AS old_value,
    ''{}''::jsonb AS new_value
    FROM unnest(''{create,delete,enable,disable,rollout_update,update,emergency_rollback}''::text[]) AS action', 3);
  PERFORM esclusa.check_now(to_regclass(history));
  RAISE EXCEPTION USING ERRCODE = 'ES000';
EXCEPTION
  WHEN SQLSTATE 'ES000' THEN NULL;
END
$$;

-- Attaches to a table, a partitioned table, or a view of tables, and gives its name as `ask` takes it. It may be called
-- again, and must be when tables have come to it or have lost their triggers.
--     SELECT esclusa.watch('public.feature_flags');
CREATE OR REPLACE FUNCTION esclusa.watch(watched text, mapping jsonb DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  rename CONSTANT text := 'a view can give columns other names: CREATE VIEW flags AS SELECT slug AS key, is_enabled AS enabled …';
  relation oid := esclusa.relation(watched);
  called text := esclusa.name_of(relation);
  problem text;
  keys text[] := esclusa.key_columns(relation);
  parts oid[] := esclusa.parts_of(relation);
  part oid;
  history text;
BEGIN
  IF mapping IS NOT NULL THEN
    RAISE EXCEPTION 'mappings are not supported yet, expected null' USING ERRCODE = 'feature_not_supported', HINT = rename;
  ELSIF keys = '{}' THEN
    RAISE EXCEPTION '`%` has no column that names a flag, expected `name` or `key`', called USING HINT = rename;
  ELSIF esclusa.switch_column(relation) IS NULL THEN
    RAISE EXCEPTION '`%` has no column that switches a flag on and off, expected `enabled`', called USING HINT = rename;
  END IF;
  SELECT string_agg(format('`%s`', esclusa.name_of(oid)), ', ') INTO problem FROM pg_class
    WHERE oid = ANY (parts) AND (relkind NOT IN ('r', 'p') OR relpersistence = 't');
  IF problem IS NOT NULL OR parts = '{}' THEN
    RAISE EXCEPTION '`%` shows rows of %, whose changes call no trigger', called,
      coalesce(problem, 'no table') USING HINT = 'expected a table, or a view of tables';
  END IF;
  LOCK TABLE esclusa.watched IN SHARE ROW EXCLUSIVE MODE;
  INSERT INTO esclusa.watched (name, at_ms, changes) VALUES (called, esclusa.clock_ms(), 0)
    ON CONFLICT DO NOTHING;
  -- Parents come first: their partitions get the triggers from them.
  FOR part IN SELECT oid FROM pg_class WHERE oid = ANY (parts) ORDER BY relkind, relispartition, oid LOOP
    history := CASE WHEN esclusa.has_flags(part) THEN esclusa.history_of(part) END;
    PERFORM esclusa.attach_all(part, history);
    IF history IS NOT NULL THEN
      PERFORM esclusa.try_history(history, part);
    END IF;
  END LOOP;
  problem := NULL;
  -- A view would run its owner's functions with the rights of who calls this.
  IF (SELECT relkind FROM pg_class WHERE oid = relation) <> 'v' THEN
    EXECUTE format('SELECT string_agg(key, '', '') FROM (SELECT coalesce(%s) AS key FROM %s GROUP BY 1
      HAVING count(*) > 1 LIMIT 10) AS twins',
      (SELECT string_agg(format('nullif(format(''%%s'', %I), '''')', key), ', ') FROM unnest(keys) AS key), called)
      INTO problem;
  END IF;
  IF problem IS NOT NULL THEN
    RAISE WARNING '`%` has several rows of one key: %', called, problem
      USING HINT = 'a flag that stands twice with different definitions is off';
  END IF;
  -- The table may have changed without its triggers.
  PERFORM esclusa.raise_revision(called);
  UPDATE esclusa.watched SET shape = NULL, digest = NULL, compared_at = NULL WHERE name = called;
  PERFORM esclusa.compare(called);
  RETURN called;
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
  PERFORM esclusa.close(oid) FROM pg_class WHERE relnamespace = 'esclusa'::regnamespace AND relkind IN ('r', 'v');
  PERFORM esclusa.close_function(oid) FROM pg_proc WHERE pronamespace = 'esclusa'::regnamespace;
  FOR role IN SELECT rolname FROM json_array_elements_text(current_setting('esclusa.allowed')::json) AS allowed (name)
      JOIN pg_roles ON rolname = allowed.name LOOP
    PERFORM esclusa.allow(role);
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
