-- After sync/migrations/001_esclusa.sql: a table of flags, and a role for the app that reads it.
SELECT esclusa.create_flags('public.feature_flags');
INSERT INTO feature_flags (name, enabled, rollout_percentage, target_plans)
  VALUES ('crm_advanced_features', true, 100, '{PREMIUM}');
CREATE ROLE app LOGIN PASSWORD 'app';
GRANT SELECT ON feature_flags TO app;
SELECT esclusa.allow('app');
