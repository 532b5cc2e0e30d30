CREATE TABLE tenants (id bigint PRIMARY KEY, name text);
CREATE TABLE IF NOT EXISTS public.funcionalidades (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  nombre text NOT NULL UNIQUE,
  activo boolean NOT NULL DEFAULT false,
  porcentaje numeric(5,2) CHECK (porcentaje BETWEEN 0 AND 100),
  "planesPermitidos" text[],
  tenant_id bigint REFERENCES tenants (id),
  creado_en timestamptz DEFAULT now()
);
