#include "crossed_world.hpp"

#include "support/wait_until.hpp"

#include <stdexcept>

namespace test {

namespace {

constexpr std::string_view tenant_prefix{"00000000-0000-4000-8000-0000000001"};
constexpr std::string_view secret_prefix{"zzs"};

std::string two_digits(int n) {
    return (n < 10 ? "0" : "") + std::to_string(n);
}

/// Everything has `who w` and `k`, which is 1 and 2.
constexpr const char* fill_sql = R"(
CREATE TABLE public.who AS
SELECT n, nn, ('00000000-0000-4000-8000-0000000001' || nn)::uuid AS tenant, 'zzp' || nn AS pub,
       'zzs' || nn AS sec
FROM generate_series(0, 63) n, lpad(n::text, 2, '0') nn;
CREATE TABLE public.pair AS
SELECT w.*, k, CASE k WHEN 1 THEN '' ELSE '2' END AS nth,
       jsonb_build_object('pub', w.pub, 'secret', w.sec) AS data
FROM public.who w, generate_series(1, 2) k;
CREATE TABLE public.thing (n int, name text, value text);

INSERT INTO queue.tenant (id, name) SELECT tenant, sec || '.tenant' FROM public.who;
INSERT INTO public.thing SELECT n, 'batch' || nth,
    queue.create_batch(pub || ' ' || sec, tenant_id => tenant) FROM public.pair;
INSERT INTO public.thing SELECT p.n, 'job' || nth, queue.enqueue(pub || '.' || sec, data,
    run_at => now() + interval '1 year', idempotency_key => pub || '.key' || k,
    tenant_id => tenant, meta => data, tags => ARRAY[pub, sec], batch_id => b.value::bigint)
FROM public.pair p JOIN public.thing b ON b.n = p.n AND b.name = 'batch';
INSERT INTO public.thing SELECT n, 'done' || nth,
    queue.enqueue(pub || '.' || sec, data, tenant_id => tenant, meta => data) FROM public.pair;
INSERT INTO public.thing SELECT n, 'dead' || nth,
    queue.enqueue(pub || '.' || sec, data, tenant_id => tenant, meta => data) FROM public.pair;
INSERT INTO queue.attempt (job_id, lease_id, started_at, finished_at, outcome, attempt, error,
                           output)
SELECT t.value::bigint, nextval('queue.lease_id_seq'), now(), now(),
       CASE WHEN done THEN 'completed' ELSE 'failed' END::queue.attempt_outcome, 1,
       CASE WHEN NOT done THEN w.sec || ' broke' END, CASE WHEN done THEN to_jsonb(w.sec) END
FROM public.thing t JOIN public.who w USING (n), LATERAL (SELECT t.name LIKE 'done%' AS done) d
WHERE t.name ~ '^(done|dead)';
DELETE FROM queue.ready r USING public.thing t
WHERE r.id = t.value::bigint AND t.name ~ '^(done|dead)';
INSERT INTO queue.dead_letter SELECT t.value::bigint, now(), now(), w.tenant, 'default',
    w.pub || '.' || w.sec, 5, 4, 4, 'attempts', w.sec || ' broke', 'f' || w.pub, p.data, p.data,
    '[]'
FROM public.thing t JOIN public.who w USING (n) JOIN public.pair p ON p.n = w.n AND p.k = 1
WHERE t.name LIKE 'dead%';
INSERT INTO queue.effect SELECT t.value::bigint, 'step', w.tenant, w.sec || t.name, 1, 'committed',
    now(), now(), to_jsonb(w.sec)
FROM public.thing t JOIN public.who w USING (n) WHERE t.name LIKE 'done%';
INSERT INTO queue.job_log SELECT t.value::bigint, 1, 1, now(), 'info', w.sec
FROM public.thing t JOIN public.who w USING (n) WHERE t.name LIKE 'done%';
INSERT INTO queue.schedule_run (schedule_id, slot, at, outcome, error)
SELECT queue.schedule(pub || '.s' || nth, '@yearly', pub || '.' || sec, data,
                      tenant_id => tenant), now() - interval '1 h', now(), 'failed', sec
FROM public.pair;
INSERT INTO public.thing SELECT n, 'sched' || nth, pub || '.s' || nth FROM public.pair;
INSERT INTO public.thing SELECT n, 'sub' || nth,
    queue.subscribe(pub || '.' || sec || '.e' || k, pub || '.' || sec, tenant_id => tenant)
FROM public.pair;
WITH made AS (
    INSERT INTO queue.operation (tenant_id, actor, action, filter, condition, reason, matched,
        matched_exact, starts_at, next_at)
    SELECT tenant, sec, 'cancel', 'kind:' || sec, '[]', sec, 0, true, now() + interval '1 year',
           now() + interval '1 year'
    FROM public.pair RETURNING id, tenant_id)
INSERT INTO public.thing SELECT w.n, 'op' || CASE row_number() OVER (PARTITION BY w.n)
                                             WHEN 1 THEN '' ELSE '2' END, made.id
FROM made JOIN public.who w ON w.tenant = made.tenant_id;
INSERT INTO queue.api_token (id, tenant_id, hash, name, role, created_at)
SELECT gen_random_uuid(), tenant, sha256(convert_to('lq_' || r.letter || nn || repeat('A', 40),
                                                    'UTF8')), sec || '.' || r.role, r.role, now()
FROM public.who, (VALUES ('v', 'viewer'), ('o', 'operator'), ('a', 'admin')) r (letter, role);
WITH made AS (
    INSERT INTO queue.api_token (id, tenant_id, hash, name, role, created_at)
    SELECT gen_random_uuid(), tenant, sha256(convert_to(sec || k, 'UTF8')), sec, 'viewer', now()
    FROM public.pair RETURNING id, tenant_id)
INSERT INTO public.thing SELECT DISTINCT ON (w.n) w.n, 'token', made.id::text
FROM made JOIN public.who w ON w.tenant = made.tenant_id ORDER BY w.n, made.id;
INSERT INTO queue.failure_group SELECT tenant, 'f' || pub, sec, false, sec, now() FROM public.who;
INSERT INTO public.thing SELECT n, 'end' || nth, webhooks.endpoint_create(tenant,
    'https://' || sec || '.example.com/' || k, description => sec) FROM public.pair;
INSERT INTO webhooks.event SELECT tenant, pub || '.ev' || k, now(), pub || '.' || sec, data
FROM public.pair;
INSERT INTO webhooks.delivery (endpoint_id, at, event_id, job_id, attempt, outcome, error)
SELECT t.value::bigint, now(), p.pub || '.ev' || p.k, p.n * 2 + p.k, 1, 'failed', p.sec
FROM public.pair p JOIN public.thing t ON t.n = p.n AND t.name = 'end' || p.nth;
SELECT mail.template_put(tenant, sec || '.' || k, 'en', sec, '<p>' || sec || '</p>')
FROM public.pair;
SELECT mail.template_put(tenant, pub || '.mail', 'en', sec, '<p>' || sec || '</p>')
FROM public.who;
SELECT queue.append_audit('token:' || sec, 'admin', tenant, 'jobs.cancel', sec, NULL, NULL)
FROM public.pair;
INSERT INTO public.thing
SELECT n, v.name, v.value FROM public.who,
LATERAL (VALUES ('ten', tenant::text), ('pub', pub), ('fp', 'f' || pub), ('ev', pub || '.ev1'))
    v (name, value);
)";

constexpr const char* keep_sql = R"(
CREATE FUNCTION public.rows_of(of regclass) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT (to_jsonb(t) - ''last_used_at'')::text FROM %s t', of);
END
$$;
CREATE TABLE public.kept AS
SELECT c.oid::regclass AS name, r AS line
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
LATERAL public.rows_of(c.oid::regclass) r
WHERE c.relkind = 'r' AND r::jsonb -> 'tenant_id' IS DISTINCT FROM 'null'  -- a processor's own
  AND (n.nspname, c.relname) IN (
    SELECT 'queue', unnest(ARRAY['tenant', 'batch', 'job', 'ready', 'attempt', 'dead_letter',
        'effect', 'job_log', 'schedule', 'schedule_run', 'subscription', 'operation', 'api_token',
        'failure_group', 'idempotency', 'audit'])
    UNION ALL SELECT 'webhooks', unnest(ARRAY['endpoint', 'event', 'delivery', 'signing_key'])
    UNION ALL SELECT 'mail', 'template');

CREATE FUNCTION public.damage() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    each regclass;
    lost bigint;
    example text;
    now_like text;
    said text := '';
BEGIN
    FOR each IN SELECT DISTINCT k.name FROM public.kept k LOOP
        SELECT count(*), min(d.line) INTO lost, example FROM (
            SELECT k.line FROM public.kept k WHERE k.name = each
            EXCEPT ALL SELECT public.rows_of(each)) d;
        SELECT string_agg(r, ' ') INTO now_like FROM public.rows_of(each) r
        WHERE r::jsonb ->> 'id' = example::jsonb ->> 'id';
        said := said || CASE WHEN lost > 0
            THEN format('%s rows of %s changed: %s is now %s; ', lost, each, example,
                        coalesce(now_like, 'gone')) ELSE '' END;
    END LOOP;
    FOR each IN
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relkind = 'r' AND n.nspname IN ('queue', 'webhooks', 'mail')
    LOOP
        EXECUTE format(
            'SELECT count(*) FROM %s x, LATERAL (SELECT (regexp_match(to_jsonb(x)::text, '
            '''zzb(\d\d)''))[1] AS nn) b JOIN public.who w USING (nn) '
            'WHERE x.tenant_id IS DISTINCT FROM w.tenant', each) INTO lost;
        said := said || CASE WHEN lost > 0 THEN format('%s rows of %s made for another; ', lost,
                                                       each) ELSE '' END;
    END LOOP;
    SELECT count(*) INTO lost FROM queue.batch_part p JOIN queue.batch b ON b.id = p.batch_id
    CROSS JOIN LATERAL unnest(p.job_ids) i JOIN queue.job j ON j.id = i
    WHERE j.tenant_id IS DISTINCT FROM b.tenant_id;
    RETURN said || CASE WHEN lost > 0 THEN format('%s jobs in batches of another', lost) ELSE ''
                   END;
END
$$;
)";

}  // namespace

crossed_world::crossed_world() {
    make_roles();
    migrate();
    fill();
    start(config(true));
}

std::string crossed_world::tenant_id(int tenant) {
    return std::string{tenant_prefix} + two_digits(tenant);
}

std::string crossed_world::token(int tenant, libqueue::role as) {
    const char letter = as == libqueue::role::viewer    ? 'v'
                        : as == libqueue::role::operate ? 'o'
                                                        : 'a';
    return std::string{"lq_"} + letter + two_digits(tenant) + std::string(40, 'A');
}

std::string crossed_world::login(const std::string& of, int tenant) const {
    return db_.dsn() + " user=lq_crossed_" + of + " options='-c queue.tenant=" + tenant_id(tenant) +
           "'";
}

std::string crossed_world::filled(std::string_view text, int me, int other) const {
    const auto& theirs = things_.at(static_cast<std::size_t>(other));
    std::string made;
    while (!text.empty()) {
        const auto at = std::min(text.find('$'), text.size());
        made += text.substr(0, at);
        text.remove_prefix(at);
        // "$.total" is a path, not a thing.
        const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", 1);
        const std::string name{text.substr(0, std::min(end, text.size()))};
        if (name.size() < 2) {
            made += name;
        } else {
            made += name == "$by" ? "zzb" + two_digits(me) : theirs.at(name.substr(1));
        }
        text.remove_prefix(name.size());
    }
    return made;
}

std::string crossed_world::shown(std::string_view text, int me, std::string_view asked) {
    for (const auto prefix : {secret_prefix, tenant_prefix}) {
        for (auto at = text.find(prefix); at != std::string_view::npos;
             at = text.find(prefix, at + 1)) {
            const auto word = text.substr(at, prefix.size() + 2);
            if (word.substr(prefix.size()) != two_digits(me) &&
                asked.find(word) == std::string_view::npos) {
                return std::string{word};
            }
        }
    }
    return {};
}

std::string crossed_world::damage() const {
    return db_.query("SELECT public.damage()");
}

/// They are the cluster's, so another test may have made them.
void crossed_world::make_roles() const {
    const auto make = [&](const std::string& name, const std::string& of) {
        db_.execute("DO $$ BEGIN CREATE ROLE lq_crossed_" + name + " LOGIN IN ROLE " + of +
                    "; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$");
    };
    make("workerd", "queue_engine, queue_operator");
    make("operator", "queue_operator");
    make("producer", "queue_producer");
}

std::string crossed_world::config(bool keeps_apart) const {
    const auto secret = folder_.write("secret", "whsec_" + std::string(32, 'A'));
    const auto master = folder_.write("master", std::string(64, 'a'));
    for (const auto& file : {secret, master})
        std::filesystem::permissions(
            file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return "database: {dsn: \"" + db_.dsn() + (keeps_apart ? " user=lq_crossed_workerd" : "") +
           "\", migrate: " + (keeps_apart ? "false" : "true") +
           "}\ntenancy: {enabled: " + (keeps_apart ? "true" : "false") +
           "}\nqueues: {default: {concurrency: 4}}\n"
           "http: {listen: \"127.0.0.1:0\", rate_limits: {token: 100000/s, address: 100000/s}}\n"
           "processors:\n  debug: true\n  webhook: {secret_file: " +
           secret.string() + ", endpoint_key_file: " + master.string() +
           "}\n  email: {host: 127.0.0.1, port: 9, tls: none, from: shop@example.com}\n";
}

void crossed_world::start(const std::string& config) {
    workerd_ = std::make_unique<process>(
        process_options{binary("workerd"), {"--config", folder_.write("w.yaml", config).string()}});
    const std::string name{"\"address\":\""};
    if (!workerd_->wait_for_text("worker_ready", std::chrono::seconds{30}))
        throw std::runtime_error{"workerd did not start: " + workerd_->errors()};
    const auto text = workerd_->errors();
    const auto begin = text.find(name, text.find("\"event\":\"http_listening\"")) + name.size();
    address_ = text.substr(begin, text.find('"', begin) - begin);
}

// Whoever owns the tables brings the processors' too.
void crossed_world::migrate() {
    start(config(false));
    workerd_.reset();
    if (db_.query("SELECT to_regclass('webhooks.delivery') IS NOT NULL AND "
                  "to_regclass('mail.template') IS NOT NULL") != "t")
        throw std::runtime_error{"the processors' tables are not there"};
}

void crossed_world::fill() {
    db_.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET jit = off', current_database()); END "
        "$$");
    db_.execute(fill_sql);
    // What the workers would fold later is folded before it is looked at.
    while (db_.query("SELECT more FROM queue.fold_batches('10 s', 1000, 0)") == "t") {
    }
    db_.execute(keep_sql);
    for (const auto& each : db_.rows("SELECT n, name, value FROM public.thing"))
        things(std::stoi(each[0].value()))[each[1].value()] = each[2].value();
    for (int n = 0; n < tenants; ++n) {
        token_files_.push_back(
            folder_.write("token" + std::to_string(n), token(n, libqueue::role::admin) + "\n"));
        std::filesystem::permissions(token_files_.back(), std::filesystem::perms::owner_read |
                                                              std::filesystem::perms::owner_write);
    }
}

}  // namespace test
