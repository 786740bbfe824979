-- breaking: no
-- Row-level security of this schema: see docs/tenancy.md. The wallet is nobody's.

ALTER VIEW mint.mints SET (security_invoker = true);

SELECT queue.protect('mint.mint', 'tenant_id = queue.current_tenant()'),
       queue.protect('mint.attempt',
           'EXISTS (SELECT FROM mint.mint m WHERE m.id = mint_id '
           'AND m.tenant_id = queue.current_tenant() OFFSET 0)'),
       queue.protect('mint.mints', 'true');
SELECT queue.apply_rights();
