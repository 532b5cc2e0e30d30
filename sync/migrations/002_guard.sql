-- Guarded rollouts in a Postgres database: apps switch off a flag whose guard has tripped, and people switch it on again.
-- Besides, what people do with features, and the figures of that (`usage`).
--
--     psql --single-transaction -v ON_ERROR_STOP=1 -f 002_guard.sql          # after 001_esclusa.sql
--     psql -c "SELECT esclusa.guard('public.feature_flags')" -c "SELECT esclusa.allow_guard('app')"
--
-- The file changes no table of flags; `esclusa.guard` adds the columns `guard` and `guard_state` to one that is watched.
-- What they mean stands in SEMANTICS.md (2.2.34, 2.2.35). It may be run again.
--
-- Rights: nothing is granted to PUBLIC. `trip`, `advance` and `resume` act with the rights of the owner of the schema
-- `esclusa`, because an app that may close a flag may not change it otherwise. `trip` can only close a guarded flag in its
-- current run, `advance` can only clear the next step of its schedule, and each is granted by itself. They write no table
-- that would run code of others with those rights (`distrust` in 001_esclusa.sql).

SELECT pg_catalog.set_config('esclusa.caller_path', pg_catalog.current_setting('search_path'), false);
SET search_path = pg_catalog, pg_temp;

DO $$
BEGIN
  IF to_regprocedure('esclusa.has_tripped(jsonb)') IS NULL THEN
    RAISE EXCEPTION 'the schema `esclusa` is not there, or is older' USING HINT = 'run 001_esclusa.sql first';
  ELSIF (SELECT nspowner FROM pg_namespace WHERE nspname = 'esclusa')
      <> (SELECT oid FROM pg_roles WHERE rolname = current_user) THEN
    RAISE EXCEPTION 'the schema `esclusa` belongs to %, expected %',
      (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'esclusa'), current_user
      USING HINT = 'run this file as its owner';
  END IF;
END
$$;

-- What `allow_guard` has allowed.
SELECT set_config('esclusa.allowed_guard', coalesce(
  (SELECT json_agg(json_build_array(proname, pg_get_userbyid(grantee)))::text
   FROM pg_proc, aclexplode(proacl)
   WHERE pronamespace = to_regnamespace('esclusa') AND proname IN ('trip', 'advance', 'resume', 'write_usage')
     AND grantee <> proowner AND grantee <> 0),
  '[]'), false);

----------------------------------------------------------------------------------------------------------------------
-- The two columns

-- Keeps what only the functions of this file write: a form that saves a whole row as it was read earlier would wipe a trip.
CREATE OR REPLACE FUNCTION esclusa.keep_guard_state() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.guard_state IS DISTINCT FROM OLD.guard_state AND (coalesce(current_setting('esclusa.guarding', true), '') <> 'yes'
      OR current_user <> (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'esclusa')) THEN
    NEW.guard_state := OLD.guard_state;
    RAISE WARNING 'esclusa: `guard_state` of a flag is left as it was' USING HINT = 'SELECT esclusa.resume(…) opens a flag that has tripped';
  END IF;
  RETURN NEW;
END
$$;

-- The table of a watch, if it has both columns.
CREATE OR REPLACE FUNCTION esclusa.guarded_table(watched text) RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  relation oid := esclusa.found(watched);
BEGIN
  RETURN CASE WHEN (SELECT count(*) FROM pg_attribute WHERE attrelid = relation AND NOT attisdropped
    AND attname IN ('guard', 'guard_state') AND atttypid = 'jsonb'::regtype) = 2 THEN relation END;
END
$$;

-- Gives a watched table the columns `guard` and `guard_state`, and gives its name. It may be called again.
--     SELECT esclusa.guard('public.feature_flags');
CREATE OR REPLACE FUNCTION esclusa.guard(watched text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  watch esclusa.revision := esclusa.watch_of(watched);
  relation oid := esclusa.found(watch.name);
  problem text;
  part oid;
BEGIN
  IF (SELECT relkind FROM pg_class WHERE oid = relation) NOT IN ('r', 'p') THEN
    RAISE EXCEPTION '`%` is no table', watch.name
      USING HINT = 'watch the table that it shows, or give both columns to that table and to this view';
  ELSIF esclusa.roles(relation, watch.mapping) -> 'keys' = '[]' THEN
    RAISE EXCEPTION '`%` has its keys inside JSON, so no row can be named', watch.name;
  END IF;
  SELECT string_agg(format('`%s` is %s', attname, format_type(atttypid, atttypmod)), ', ') INTO problem
    FROM pg_attribute WHERE attrelid = relation AND NOT attisdropped AND attname IN ('guard', 'guard_state')
      AND atttypid <> 'jsonb'::regtype;
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '`%`: %, expected jsonb', watch.name, problem;
  END IF;
  problem := esclusa.distrust(relation);
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '%: writing it would run code of others with the rights of %', problem, current_user
      USING HINT = format('make it the table of %1$I, or let the owner of the table run this file', current_user);
  END IF;
  EXECUTE format('ALTER TABLE %s ADD COLUMN IF NOT EXISTS guard jsonb, ADD COLUMN IF NOT EXISTS guard_state jsonb',
    watch.name);
  -- Last by its name, so that no other trigger of the table writes it after this.
  PERFORM esclusa.attach(relation, 'zz_esclusa_keep_guard_state', 'BEFORE UPDATE ON %s FOR EACH ROW',
    'esclusa.keep_guard_state()');
  FOREACH part IN ARRAY esclusa.parts_of(relation) LOOP
    PERFORM esclusa.try_history(esclusa.history_of(part), part, esclusa.roles(relation, watch.mapping),
      '{guard_trip,guard_resume,guard_advance}');
  END LOOP;
  RETURN esclusa.watch(watch.name);
END
$$;

----------------------------------------------------------------------------------------------------------------------
-- What apps and people do

-- Changes the `guard_state` of the rows of a flag, `$1`, in one table, where a condition holds; the number of them. Both are
-- SQL of this file, with a parameter, `$2`.
CREATE OR REPLACE FUNCTION esclusa.change_guard_state(
  relation oid, mapping jsonb, flag text, becomes text, provided text, given jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  problem text := esclusa.distrust(relation);
  key text;
  counted bigint;
BEGIN
  IF problem IS NULL AND strpos(becomes || provided, 'to_jsonb(f)') > 0 AND NOT esclusa.is_json_safe(relation) THEN
    problem := format('a type of the columns of `%s` has a cast to JSON', esclusa.name_of(relation));
  END IF;
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '%, so it is not written', problem USING ERRCODE = 'insufficient_privilege',
      HINT = format('expected a table of %I, without triggers of others',
        (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'esclusa'));
  END IF;
  PERFORM set_config('esclusa.guarding', 'yes', true);
  -- By the first column of the key that names it.
  FOR key IN SELECT jsonb_array_elements_text(esclusa.roles(relation, mapping) -> 'keys') LOOP
    EXECUTE format('UPDATE %s AS f SET guard_state = %s WHERE %s AND (%s)', esclusa.name_of(relation), becomes,
      esclusa.matches(key), provided) USING flag, given;
    GET DIAGNOSTICS counted = ROW_COUNT;
    EXIT WHEN counted > 0;
  END LOOP;
  PERFORM set_config('esclusa.guarding', '', true);
  RETURN coalesce(counted, 0);
END
$$;

-- The same in every watched table that has the columns, or in one.
CREATE OR REPLACE FUNCTION esclusa.change_guard_states(
  watched text, flag text, becomes text, provided text, given jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  only_one text := CASE WHEN watched IS NOT NULL THEN (esclusa.watch_of(watched)).name END;
  watch record;
  counted bigint := 0;
  is_guarded boolean := false;
BEGIN
  FOR watch IN SELECT name, mapping, esclusa.guarded_table(name) AS relation FROM esclusa.watched
      WHERE only_one IS NULL OR name = only_one ORDER BY name LOOP
    IF watch.relation IS NOT NULL THEN
      is_guarded := true;
      counted := counted
        + esclusa.change_guard_state(watch.relation, watch.mapping, flag, becomes, provided, given);
    END IF;
  END LOOP;
  IF NOT is_guarded THEN
    RAISE EXCEPTION 'no watched table has the columns `guard` and `guard_state`%',
      coalesce(format(', `%s` neither', only_one), '')
      USING ERRCODE = 'ES006', HINT = 'SELECT esclusa.guard(''public.feature_flags'')';
  END IF;
  RETURN counted;
END
$$;

-- The run of a flag, the highest of its rows; null if there is no such flag.
CREATE OR REPLACE FUNCTION esclusa.current_run(flag text, watched text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  only_one text := CASE WHEN watched IS NOT NULL THEN (esclusa.watch_of(watched)).name END;
  watch record;
  key text;
  run bigint;
  highest bigint;
BEGIN
  FOR watch IN SELECT name, mapping, esclusa.guarded_table(name) AS relation FROM esclusa.watched
      WHERE only_one IS NULL OR name = only_one LOOP
    IF watch.relation IS NOT NULL THEN
      FOR key IN SELECT jsonb_array_elements_text(esclusa.roles(watch.relation, watch.mapping) -> 'keys') LOOP
        EXECUTE format('SELECT max(esclusa.run_of(guard_state)) FROM %s WHERE %s AND jsonb_typeof(guard) = ''object''',
          esclusa.name_of(watch.relation), esclusa.matches(key)) INTO run USING flag;
        highest := greatest(highest, run);
      END LOOP;
    END IF;
  END LOOP;
  RETURN highest;
END
$$;

-- Switches off a flag whose guard has tripped in this run, for everybody and in one transaction with its history: true for
-- the one that changed it. It is false if the flag has tripped in this run already; if its run is another one, the error
-- ES007 says which, and if there is no such flag with a guard, ES008. `evidence` is what 2.1 of GUARD.md has for the trip.
--     SELECT esclusa.trip('crm_advanced_features', 1, '{"metric": "errors", "by": "app-7", "evidence": {"log_e": 7.1}}');
CREATE OR REPLACE FUNCTION esclusa.trip(flag text, run bigint, evidence jsonb DEFAULT '{}', watched text DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
SET row_security = off AS $$
#variable_conflict use_variable
DECLARE
  said jsonb := coalesce(evidence, '{}');
  current bigint;
BEGIN
  IF run IS NULL OR run < 1 THEN
    RAISE EXCEPTION 'the run is %, expected a whole number from 1 on', coalesce(run::text, 'null') USING ERRCODE = '22023';
  ELSIF jsonb_typeof(said) <> 'object' OR length(said::text) > 65536 THEN
    RAISE EXCEPTION 'the evidence does not fit, expected an object of at most 65536 characters' USING ERRCODE = '22023';
  END IF;
  said := jsonb_build_object('at', esclusa.utc(clock_timestamp())) || said || jsonb_build_object('run', run);
  IF esclusa.change_guard_states(watched, flag,
      'coalesce(guard_state, ''{}'') || jsonb_build_object(''trip'', $2)',
      'jsonb_typeof(guard) = ''object'' AND esclusa.run_of(guard_state) = esclusa.whole($2 -> ''run'', 1)
        AND NOT esclusa.has_tripped(guard_state)', said) > 0 THEN
    RETURN true;
  END IF;
  current := esclusa.current_run(flag, watched);
  IF current IS NULL THEN
    RAISE EXCEPTION 'there is no flag "%" with a guard', flag USING ERRCODE = 'ES008';
  ELSIF current <> run THEN
    RAISE EXCEPTION 'the run of "%" is %, and the trip is of run %', flag, current, run
      USING ERRCODE = 'ES007', DETAIL = current;
  END IF;
  RETURN false;
END
$$;

-- Begins a new run of a flag, so that whoever had it before the trip has it again: nothing else was touched. It gives the
-- number of the run. Of a schedule, `at_step` steps are cleared: by default one less than at the trip, or as many as
-- before if it has not tripped.
--     SELECT esclusa.resume('crm_advanced_features', '<id of the user>');
CREATE OR REPLACE FUNCTION esclusa.resume(
  flag text, performed_by text DEFAULT NULL, at_step bigint DEFAULT NULL, watched text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
#variable_conflict use_variable
DECLARE
  said text := coalesce(current_setting('esclusa.performed_by', true), '');
  counted bigint;
BEGIN
  IF at_step < 0 THEN
    RAISE EXCEPTION 'the step is %, expected a number of steps from 0 on', at_step USING ERRCODE = '22023';
  END IF;
  PERFORM set_config('esclusa.performed_by', coalesce(performed_by, said), true);
  counted := esclusa.change_guard_states(watched, flag,
    'jsonb_strip_nulls(coalesce(guard_state, ''{}'') - ''trip'' || jsonb_build_object(
      ''run'', greatest(esclusa.run_of(guard_state), coalesce(esclusa.whole(guard_state -> ''trip'' -> ''run'', 1), 1)) + 1,
      ''cleared_steps'', coalesce($2, CASE WHEN esclusa.has_tripped(guard_state)
        THEN to_jsonb(esclusa.steps_before(to_jsonb(f) -> ''schedule'', guard_state))
        ELSE guard_state -> ''cleared_steps'' END),
      ''cleared_at'', esclusa.utc(clock_timestamp())))',
    'jsonb_typeof(guard) = ''object'' AND esclusa.run_of(guard_state) IS NOT NULL', to_jsonb(at_step));
  PERFORM set_config('esclusa.performed_by', said, true);
  IF counted = 0 THEN
    RAISE EXCEPTION 'there is no flag "%" with a guard', flag USING ERRCODE = 'ES008',
      HINT = 'expected the key of a flag whose `guard_state` can be read';
  END IF;
  RETURN esclusa.current_run(flag, watched);
END
$$;

-- Clears the next step of a flag's schedule: true if it did. Its `guard` has to allow that (`advance`), the app has to find
-- it healthy with enough units of both arms, the step has to be due by the clock of this server, and the share before it
-- has to have lasted. Of several that ask at once one gets true.
--     SELECT esclusa.advance('crm_advanced_features', 1, 2, '{"state": "healthy", "on_units": 812, "off_units": 7400}');
CREATE OR REPLACE FUNCTION esclusa.advance(
  flag text, run bigint, from_step bigint, evidence jsonb DEFAULT '{}', watched text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
SET row_security = off AS $$
#variable_conflict use_variable
BEGIN
  RETURN esclusa.change_guard_states(watched, flag,
    'guard_state || jsonb_build_object(''cleared_steps'', esclusa.whole($2 -> ''from'', 0) + 1,
      ''cleared_at'', esclusa.utc(clock_timestamp()), ''cleared_by'', $2 -> ''evidence'')',
    'esclusa.may_advance(guard, guard_state, to_jsonb(f) -> ''schedule'', $2)',
    jsonb_build_object('run', run, 'from', from_step, 'evidence', coalesce(evidence, '{}'))) > 0;
END
$$;

CREATE OR REPLACE FUNCTION esclusa.may_advance(guard jsonb, state jsonb, schedule jsonb, asked jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rules jsonb := guard -> 'advance';
  cleared bigint := esclusa.whole(state -> 'cleared_steps', 0);
  enough numeric := coalesce(esclusa.whole(rules -> 'min_units', 0), 500);
  steps jsonb := esclusa.steps(schedule);
  since timestamptz := coalesce(esclusa.time_of(state ->> 'cleared_at'), '-infinity');
BEGIN
  RETURN jsonb_typeof(rules) = 'object' AND NOT esclusa.has_tripped(state)
    AND esclusa.run_of(state) = esclusa.whole(asked -> 'run', 1) AND cleared = esclusa.whole(asked -> 'from', 0)
    AND asked -> 'evidence' ->> 'state' = 'healthy'
    AND (asked #>> '{evidence,on_units}')::numeric >= enough AND (asked #>> '{evidence,off_units}')::numeric >= enough
    AND esclusa.time_of(steps -> cleared::integer ->> 'at') <= clock_timestamp()
    AND (rules ->> 'up_to' IS NULL
      OR (steps -> cleared::integer ->> 'rollout_percentage')::numeric <= (rules ->> 'up_to')::numeric)
    AND clock_timestamp() >= coalesce(esclusa.span(rules ->> 'after'), '0 s')
      + greatest(since, CASE WHEN cleared > 0 THEN esclusa.time_of(steps -> (cleared::integer - 1) ->> 'at') END);
EXCEPTION WHEN data_exception THEN
  -- Doubt clears no step.
  RETURN false;
END
$$;

-- The steps of a `schedule`, which may be a text with JSON in it.
CREATE OR REPLACE FUNCTION esclusa.steps(schedule jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE jsonb_typeof(schedule) WHEN 'array' THEN schedule WHEN 'string' THEN (schedule #>> '{}')::jsonb END;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;

-- One step less than were in force as the flag tripped; null without a schedule.
CREATE OR REPLACE FUNCTION esclusa.steps_before(schedule jsonb, state jsonb) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  at timestamptz := coalesce(esclusa.time_of(state -> 'trip' ->> 'at'), clock_timestamp());
  in_force bigint;
BEGIN
  SELECT count(*) INTO in_force FROM jsonb_array_elements(esclusa.steps(schedule)) AS step
    WHERE esclusa.time_of(step ->> 'at') <= at;
  RETURN CASE WHEN coalesce(jsonb_array_length(esclusa.steps(schedule)), 0) > 0
    THEN greatest(least(in_force, esclusa.whole(state -> 'cleared_steps', 0)) - 1, 0) END;
END
$$;

-- A time as a flag has it: in UTC, unless it says otherwise.
CREATE OR REPLACE FUNCTION esclusa.time_of(said text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' AS $$
BEGIN
  RETURN said::timestamptz;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION esclusa.utc(at timestamptz) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
END
$$;

-- The time that `30m`, `1h` or `2d` says.
CREATE OR REPLACE FUNCTION esclusa.span(said text) RETURNS interval
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN make_interval(secs => substring(said FROM '^(\d{1,6})[smhd]$')::double precision
    * CASE right(said, 1) WHEN 's' THEN 1 WHEN 'm' THEN 60 WHEN 'h' THEN 3600 ELSE 86400 END);
END
$$;

----------------------------------------------------------------------------------------------------------------------
-- Usage

-- The columns of a table of usage that are needed.
CREATE OR REPLACE FUNCTION esclusa.usage_columns() RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT '{feature_flag_id,user_id,company_id,action,metadata,created_at}'::text[]
$$;

-- Attaches to the table `feature_usage` beside the flags, which it creates if it is not there, and makes the view
-- `esclusa.metrics` of it. It may be called again.
--     SELECT esclusa.usage('public.feature_flags');
CREATE OR REPLACE FUNCTION esclusa.usage(watched text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  watch esclusa.revision := esclusa.watch_of(watched);
  relation oid := esclusa.found(watch.name);
  roles jsonb := esclusa.roles(relation, watch.mapping);
  name text := format('%I.feature_usage', (SELECT nspname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid = relation));
  problem text;
  is_new boolean := to_regclass('esclusa.metrics') IS NULL;
BEGIN
  IF roles ->> 'id' IS NULL OR roles -> 'keys' = '[]' THEN
    RAISE EXCEPTION '`%` has no column `id`, or its keys are inside JSON, so usage cannot name its flags', watch.name;
  END IF;
  IF to_regclass(name) IS NULL THEN
    EXECUTE format('CREATE TABLE %s (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        feature_flag_id %s,
        user_id text,
        company_id text,
        action varchar(100),
        metadata jsonb,
        created_at timestamptz DEFAULT now())',
      name, (SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = relation AND attname = roles ->> 'id'));
    PERFORM esclusa.close(to_regclass(name));
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE INDEX ON %s (feature_flag_id, created_at)', name);
  END IF;
  SELECT string_agg(format('`%s`', needed), ', ') INTO problem FROM unnest(esclusa.usage_columns()) AS needed
    WHERE NOT EXISTS (SELECT FROM pg_attribute
      WHERE attrelid = to_regclass(name) AND attname = needed AND NOT attisdropped);
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '`%` has no columns %', name, problem;
  END IF;
  problem := esclusa.distrust(to_regclass(name));
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '%: writing it would run code of others with the rights of %', problem, current_user
      USING HINT = format('make it the table of %1$I, or let the owner of the table run this file', current_user);
  END IF;
  EXECUTE format($format$
    CREATE OR REPLACE VIEW esclusa.metrics AS
      WITH seen AS (
        SELECT feature_flag_id, action, created_at, metadata,
          coalesce(user_id::text, metadata ->> 'user', company_id::text, metadata ->> 'company') AS unit,
          coalesce(metadata ->> 'arm' = 'off', false) AS is_off,
          action = 'error' OR coalesce((metadata ->> 'error') = 'true', false) AS is_error,
          CASE WHEN jsonb_typeof(metadata -> 'duration_ms') = 'number' THEN (metadata ->> 'duration_ms')::double precision END
            AS duration_ms,
          CASE WHEN jsonb_typeof(metadata -> 'value') = 'number' THEN (metadata ->> 'value')::double precision END AS value
        FROM %1$s
      ), times AS (
        SELECT feature_flag_id,
          percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE NOT is_off) AS with_flag,
          percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE is_off) AS without_flag
        FROM seen GROUP BY feature_flag_id
      )
      SELECT f.%2$I::text AS flag,
        count(unit) FILTER (WHERE NOT is_off) AS usage_count,
        count(DISTINCT unit) FILTER (WHERE NOT is_off AND is_error)::double precision
          / nullif(count(DISTINCT unit) FILTER (WHERE NOT is_off), 0) AS error_rate,
        max(with_flag) / nullif(max(without_flag), 0) - 1 AS performance_impact,
        count(DISTINCT unit) FILTER (WHERE NOT is_off AND action = 'click')::double precision
          / nullif(count(DISTINCT unit) FILTER (WHERE NOT is_off), 0) AS adoption_rate,
        avg(value) FILTER (WHERE action = 'feedback') AS user_feedback_score,
        count(value) FILTER (WHERE action = 'feedback') AS feedback_count,
        max(seen.created_at) AS last_updated
      FROM %3$s f LEFT JOIN seen ON seen.feature_flag_id = f.%4$I LEFT JOIN times ON times.feature_flag_id = f.%4$I
      GROUP BY f.%2$I
    $format$, name, roles -> 'keys' ->> 0, watch.name, roles ->> 'id');
  IF is_new THEN
    PERFORM esclusa.close('esclusa.metrics'::regclass);
  END IF;
  RETURN name;
END
$$;

-- Writes what people did with features, an array of at most 500 objects: `flag`, `user`, `company`, `action`, `at`, and what
-- goes into `metadata`: `arm` (`on` or `off`), `error`, `duration_ms`, `value`, and any other field. It gives the number of
-- rows. A user or a company that its table does not know is kept as a text in `metadata`, and spoils no other row; a flag
-- that is not there is too. Who has seen a feature today is not written again (`view`).
--     SELECT esclusa.write_usage('[{"flag": "crm", "user": "<id>", "action": "click", "arm": "on", "duration_ms": 81}]');
CREATE OR REPLACE FUNCTION esclusa.write_usage(rows jsonb, watched text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
SET row_security = off AS $$
#variable_conflict use_variable
DECLARE
  watch esclusa.revision := esclusa.watch_of(watched);
  relation oid := esclusa.found(watch.name);
  roles jsonb := esclusa.roles(relation, watch.mapping);
  name text := format('%I.feature_usage', (SELECT nspname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid = relation));
  problem text;
  types jsonb;
  insert_rows text;
  one jsonb;
  counted bigint;
  written bigint := 0;
BEGIN
  IF jsonb_typeof(rows) <> 'array' OR jsonb_array_length(rows) > 500
      OR EXISTS (SELECT FROM jsonb_array_elements(rows) AS row WHERE jsonb_typeof(row) <> 'object') THEN
    RAISE EXCEPTION 'the usage does not fit, expected an array of at most 500 objects' USING ERRCODE = '22023';
  ELSIF to_regclass(name) IS NULL THEN
    RAISE EXCEPTION 'there is no table `%`', name USING ERRCODE = 'undefined_table',
      HINT = format('SELECT esclusa.usage(%L)', watch.name);
  END IF;
  problem := esclusa.distrust(to_regclass(name));
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '%, so it is not written', problem USING ERRCODE = 'insufficient_privilege';
  END IF;
  SELECT jsonb_object_agg(attname, format_type(atttypid, NULL)) INTO types FROM pg_attribute
    WHERE attrelid = to_regclass(name) AND attname = ANY (esclusa.usage_columns());
  -- `$1` the rows, `$2` whether users and companies go into their columns.
  insert_rows := format($format$
    INSERT INTO %1$s (feature_flag_id, user_id, company_id, action, metadata, created_at)
    SELECT DISTINCT ON (CASE WHEN action = 'view' THEN format('%%s %%s', flag, unit) ELSE place::text END)
      id, CASE WHEN $2 THEN (row ->> 'user')::%2$s END, CASE WHEN $2 THEN (row ->> 'company')::%3$s END, action,
      row - '{flag,user,company,action,at}'::text[]
        || CASE WHEN id IS NULL THEN jsonb_build_object('flag', flag) ELSE '{}' END
        || CASE WHEN $2 THEN '{}' ELSE jsonb_strip_nulls(jsonb_build_object('user', row -> 'user', 'company', row -> 'company'))
          END,
      at
    FROM (
      SELECT row, place, row ->> 'flag' AS flag, left(row ->> 'action', 100) AS action,
        coalesce(row ->> 'user', row ->> 'company') AS unit,
        -- A clock that is ahead writes nothing into the future.
        least(coalesce(esclusa.time_of(row ->> 'at'), now()), now()) AS at,
        (SELECT f.%4$I FROM %5$s f WHERE f.%6$I::text = row ->> 'flag' LIMIT 1) AS id
      FROM jsonb_array_elements($1) WITH ORDINALITY AS given (row, place)
    ) AS said
    WHERE action IS DISTINCT FROM 'view' OR NOT EXISTS (
      SELECT FROM %1$s u WHERE u.feature_flag_id = said.id AND u.action = 'view'
        AND u.created_at >= date_trunc('day', said.at) AND u.created_at < date_trunc('day', said.at) + interval '1 day'
        AND coalesce(u.user_id::text, u.metadata ->> 'user', u.company_id::text, u.metadata ->> 'company') = said.unit)
    $format$, name, types ->> 'user_id', types ->> 'company_id', roles ->> 'id', watch.name, roles -> 'keys' ->> 0);
  BEGIN
    EXECUTE insert_rows USING rows, true;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
  EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
    -- One of them is unknown somewhere: each by itself.
    NULL;
  END;
  FOR one IN SELECT jsonb_build_array(row) FROM jsonb_array_elements(rows) AS row LOOP
    BEGIN
      EXECUTE insert_rows USING one, true;
      GET DIAGNOSTICS counted = ROW_COUNT;
    EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
      BEGIN
        EXECUTE insert_rows USING one, false;
        GET DIAGNOSTICS counted = ROW_COUNT;
      EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
        RAISE WARNING 'esclusa: a row of usage is not written: %', SQLERRM;
        counted := 0;
      END;
    END;
    written := written + counted;
  END LOOP;
  RETURN written;
END
$$;

----------------------------------------------------------------------------------------------------------------------
-- Rights

-- Lets a role trip guarded flags, and whatever else of `trip`, `advance`, `resume` and `write_usage` is named. `resume` is for people and
-- their pipelines: an app that may open what it has closed closes nothing.
--     SELECT esclusa.allow_guard('app');
--     SELECT esclusa.allow_guard('release_manager', '{resume}');
CREATE OR REPLACE FUNCTION esclusa.allow_guard(role name, rights text[] DEFAULT '{trip}') RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wrong text;
  called regprocedure;
BEGIN
  SELECT string_agg(format('`%s`', name), ', ') INTO wrong FROM unnest(rights) AS name
    WHERE name <> ALL ('{trip,advance,resume,write_usage}'::text[]);
  IF lower(role) = 'public' THEN
    RAISE EXCEPTION 'nothing is granted to PUBLIC, expected the name of a role';
  ELSIF wrong IS NOT NULL THEN
    RAISE EXCEPTION '% is no right, expected `trip`, `advance`, `resume` or `write_usage`', wrong;
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA esclusa TO %I', role);
  FOR called IN SELECT oid::regprocedure FROM pg_proc
      WHERE pronamespace = 'esclusa'::regnamespace AND proname = ANY (rights) LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', called, role);
  END LOOP;
END
$$;

-- Nothing to PUBLIC, nor to whom default privileges name. Whoever was allowed by `allow_guard` is allowed again.
DO $$
DECLARE
  part record;
BEGIN
  PERFORM esclusa.close_function(oid) FROM pg_proc
    WHERE pronamespace = 'esclusa'::regnamespace AND proname IN ('keep_guard_state', 'guarded_table', 'guard',
      'change_guard_state', 'change_guard_states', 'current_run', 'trip', 'resume', 'advance', 'may_advance', 'steps',
      'steps_before', 'time_of', 'utc', 'span', 'usage_columns', 'usage', 'write_usage', 'allow_guard');
  FOR part IN SELECT allowed ->> 0 AS called, rolname
      FROM json_array_elements(current_setting('esclusa.allowed_guard')::json) AS allowed
      JOIN pg_roles ON rolname = allowed ->> 1 LOOP
    PERFORM esclusa.allow_guard(part.rolname, ARRAY[part.called]);
  END LOOP;
END
$$;

SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('esclusa.caller_path'), false);
