-- What Esclusa adds to a database: a revision that rises with every change of `feature_flags`, a notification that
-- tells of it, a history that nobody has to remember to write, and an emergency rollback.
--
-- Run it in the schema that holds (or is to hold) the table, in one transaction:
--     psql --single-transaction -v ON_ERROR_STOP=1 -f 001_esclusa.sql
-- It may be run again. It changes no column of `feature_flags` and no row.
--
-- Whoever may read or write `feature_flags` needs no further rights: the triggers act with those of whoever ran this
-- file.

-- The table as it is; one that exists already is left alone, with whatever other columns it has.
CREATE TABLE IF NOT EXISTS feature_flags (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name varchar(255) NOT NULL,
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
  updated_at timestamptz DEFAULT now()
);

DO $$
BEGIN
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS release_history (
       id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
       feature_flag_id %s,
       action varchar(100),
       old_value jsonb,
       new_value jsonb,
       performed_by uuid,
       created_at timestamptz DEFAULT now()
     )',
    (SELECT coalesce(max(format_type(atttypid, atttypmod)), 'uuid') FROM pg_attribute
     WHERE attrelid = 'feature_flags'::regclass AND attname = 'id'));
END
$$;
-- For changes that no user of the app is known for: who was connected to the database.
ALTER TABLE release_history ADD COLUMN IF NOT EXISTS database_user text DEFAULT session_user;

-- What cannot work is refused here, and not by every change of a flag later.
DO $$
DECLARE
  missing text;
BEGIN
  SELECT string_agg(of || '.' || attribute, ', ') INTO missing
  FROM (VALUES ('feature_flags', '{id,name,enabled,rollout_percentage,updated_at}'::text[]),
               ('release_history', '{feature_flag_id,action,old_value,new_value,performed_by}'))
         AS needed (of, attributes),
       unnest(attributes) AS attribute
  WHERE NOT EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = of::regclass AND attname = attribute AND NOT attisdropped);
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'columns are missing: %', missing;
  END IF;
END
$$;

-- The history outlives the flag. A foreign key would either keep every flag for ever or take its history with it.
DO $$
DECLARE
  foreign_key name;
BEGIN
  FOR foreign_key IN
    SELECT conname FROM pg_constraint
    WHERE contype = 'f' AND conrelid = 'release_history'::regclass AND confrelid = 'feature_flags'::regclass
  LOOP
    EXECUTE format('ALTER TABLE release_history DROP CONSTRAINT %I', foreign_key);
    RAISE NOTICE 'release_history: dropped %, so that the history outlives the flag', foreign_key;
  END LOOP;
END
$$;

-- One row. Whoever changes a flag locks it while that transaction commits, so revisions become visible in order.
CREATE TABLE IF NOT EXISTS esclusa_revision (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  revision bigint NOT NULL
);
-- Everybody may read it, and nobody may write it but the trigger: hosted databases let everybody write new tables.
ALTER TABLE esclusa_revision ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS esclusa_revision_is_read ON esclusa_revision;
CREATE POLICY esclusa_revision_is_read ON esclusa_revision FOR SELECT USING (true);
GRANT SELECT ON esclusa_revision TO PUBLIC;

-- Transactions that have changed a flag and not yet committed. Each has a row of its own, so they do not wait for one
-- another: had they to lock the revision as soon as they change a flag, one that stays open would hold up an emergency
-- rollback, and two that change several flags could lock each other out.
CREATE TABLE IF NOT EXISTS esclusa_change (
  transaction bigint PRIMARY KEY
);
ALTER TABLE esclusa_change ENABLE ROW LEVEL SECURITY;

-- Milliseconds since 1970, or one more than before: it rises even when a backup is restored, after the next change.
CREATE OR REPLACE FUNCTION esclusa_next_revision(before bigint) RETURNS bigint
LANGUAGE sql VOLATILE AS $$
  SELECT greatest(before + 1, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
$$;

-- Before this file is run again the table may have changed without its triggers.
INSERT INTO esclusa_revision AS current (revision) VALUES (esclusa_next_revision(0))
  ON CONFLICT (is_only) DO UPDATE SET revision = esclusa_next_revision(current.revision);

-- The whole table as a snapshot, at one instant.
CREATE OR REPLACE FUNCTION esclusa_snapshot() RETURNS json
LANGUAGE sql STABLE AS $$
  SELECT json_build_object(
    'esclusa', 1,
    'revision', (SELECT revision FROM esclusa_revision),
    'generated_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'flags', (SELECT coalesce(json_agg(to_jsonb(flag) ORDER BY flag.name), '[]') FROM feature_flags flag)
  )
$$;

-- The grant is for databases where functions are nobody's unless told otherwise.
GRANT EXECUTE ON FUNCTION esclusa_snapshot() TO PUBLIC;

-- After a statement that changes flags.
CREATE OR REPLACE FUNCTION esclusa_tell() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO esclusa_change VALUES (txid_current()) ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;

-- When the transaction commits.
CREATE OR REPLACE FUNCTION esclusa_commit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  told bigint;
BEGIN
  DELETE FROM esclusa_change WHERE transaction = NEW.transaction;
  UPDATE esclusa_revision SET revision = esclusa_next_revision(revision) RETURNING revision INTO told;
  PERFORM pg_notify('esclusa', told::text);
  RETURN NULL;
END
$$;

-- Who acts: what the transaction says, or whom a token names that PostgREST (Supabase) has checked.
--     SELECT set_config('esclusa.performed_by', '<id of the user>', true);
CREATE OR REPLACE FUNCTION esclusa_performed_by() RETURNS uuid
LANGUAGE plpgsql STABLE AS $$
DECLARE
  said text := nullif(current_setting('esclusa.performed_by', true), '');
  subject text;
BEGIN
  IF said IS NOT NULL THEN
    RETURN said::uuid;
  END IF;
  subject := nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub';
  RETURN CASE WHEN subject ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' THEN subject::uuid END;
END
$$;

-- What a change is called in the history.
CREATE OR REPLACE FUNCTION esclusa_action(before jsonb, after jsonb) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN nullif(current_setting('esclusa.action', true), '') IS NOT NULL THEN current_setting('esclusa.action')
    WHEN before IS NULL THEN 'create'
    WHEN after IS NULL THEN 'delete'
    WHEN after -> 'enabled' IS DISTINCT FROM before -> 'enabled'
      THEN CASE WHEN (after ->> 'enabled')::boolean THEN 'enable' ELSE 'disable' END
    WHEN after -> 'rollout_percentage' IS DISTINCT FROM before -> 'rollout_percentage' THEN 'rollout_update'
    ELSE 'update'
  END
$$;

CREATE OR REPLACE FUNCTION esclusa_record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
  after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
  old_value jsonb := before;
  new_value jsonb := after;
  flag release_history.feature_flag_id%TYPE := coalesce(after, before) ->> 'id';
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- Of a flag that stays, what is different.
    SELECT jsonb_object_agg(key, value) INTO old_value FROM jsonb_each(before)
      WHERE key <> 'updated_at' AND value IS DISTINCT FROM after -> key;
    SELECT jsonb_object_agg(key, value) INTO new_value FROM jsonb_each(after)
      WHERE key <> 'updated_at' AND value IS DISTINCT FROM before -> key;
    IF old_value IS NULL AND new_value IS NULL THEN
      IF nullif(current_setting('esclusa.action', true), '') IS NULL THEN
        RETURN NULL;
      END IF;
      -- A rollback of what is off already: somebody has seen to it.
      old_value := jsonb_build_object(
        'enabled', before -> 'enabled', 'rollout_percentage', before -> 'rollout_percentage');
      new_value := old_value;
    END IF;
  END IF;
  INSERT INTO release_history (feature_flag_id, action, old_value, new_value, performed_by)
  VALUES (flag, esclusa_action(before, after), old_value, new_value, esclusa_performed_by());
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION esclusa_record_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO release_history (feature_flag_id, action, old_value, performed_by)
  SELECT flag.id, 'delete', to_jsonb(flag), esclusa_performed_by() FROM feature_flags flag;
  RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS esclusa_record ON feature_flags;
CREATE TRIGGER esclusa_record AFTER INSERT OR UPDATE OR DELETE ON feature_flags
  FOR EACH ROW EXECUTE FUNCTION esclusa_record();
DROP TRIGGER IF EXISTS esclusa_record_truncate ON feature_flags;
CREATE TRIGGER esclusa_record_truncate BEFORE TRUNCATE ON feature_flags
  FOR EACH STATEMENT EXECUTE FUNCTION esclusa_record_truncate();
DROP TRIGGER IF EXISTS esclusa_tell ON feature_flags;
CREATE TRIGGER esclusa_tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON feature_flags
  FOR EACH STATEMENT EXECUTE FUNCTION esclusa_tell();
DROP TRIGGER IF EXISTS esclusa_commit ON esclusa_change;
CREATE CONSTRAINT TRIGGER esclusa_commit AFTER INSERT ON esclusa_change
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION esclusa_commit();

-- Switches a flag off for everybody and records who did it, in one transaction; every app hears of it at once.
--     SELECT emergency_rollback('crm_advanced_features', '<id of the user>');
-- The flag is named by its name or its id. It is written down also if the flag was off already.
CREATE OR REPLACE FUNCTION emergency_rollback(flag text, performed_by uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  -- What the rest of the transaction goes on with.
  said text := coalesce(current_setting('esclusa.performed_by', true), '');
BEGIN
  PERFORM set_config('esclusa.performed_by', coalesce(performed_by::text, said), true);
  PERFORM set_config('esclusa.action', 'emergency_rollback', true);
  -- The share too, so that a switch in some app's environment opens nothing.
  UPDATE feature_flags SET enabled = false, rollout_percentage = 0, updated_at = now()
  WHERE name = flag OR id::text = lower(flag);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no flag "%", expected the name or the id of a flag', flag;
  END IF;
  PERFORM set_config('esclusa.action', '', true);
  PERFORM set_config('esclusa.performed_by', said, true);
END
$$;

-- What acts with the rights of this file's owner must find its own tables and nobody else's.
DO $$
DECLARE
  signature text;
BEGIN
  FOREACH signature IN ARRAY ARRAY['esclusa_snapshot()', 'esclusa_tell()', 'esclusa_commit()', 'esclusa_performed_by()',
    'esclusa_action(jsonb, jsonb)', 'esclusa_record()', 'esclusa_record_truncate()', 'emergency_rollback(text, uuid)']
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', signature, current_schema());
  END LOOP;
END
$$;

-- A history that is there already may refuse what is written here, and every change of a flag would fail: it is tried
-- once, and undone.
DO $$
BEGIN
  INSERT INTO release_history (feature_flag_id, action, old_value, new_value)
  SELECT flag.id, called, '{}', '{}'
  FROM (SELECT id FROM feature_flags LIMIT 1) AS flag,
       unnest('{create,delete,enable,disable,rollout_update,update,emergency_rollback}'::text[]) AS called;
  RAISE EXCEPTION USING ERRCODE = 'ES001';
EXCEPTION
  WHEN SQLSTATE 'ES001' THEN NULL;
END
$$;
