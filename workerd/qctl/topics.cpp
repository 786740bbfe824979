#include "help.hpp"

#include <algorithm>
#include <array>

namespace qctl {

namespace {

constexpr std::string_view output_text = R"(Results go to stdout, messages to stderr.

  table   aligned columns, the most useful ones of a list
  wide    the same with all columns, never cut
  json    a list is one array of objects, a single thing one object
  jsonl   one object per line
  yaml    a list of objects, or one; values as in json
  csv     RFC 4180 with a header line; an empty field is NULL, "" an empty text
  id      the ids alone, for pipes

Names in json, jsonl and csv are those of the SQL API and are only ever added to.
Numbers and JSON documents are printed as PostgreSQL holds them, never rounded.
Times are ISO 8601 in UTC. With json and jsonl an error is
{"error":{"code":"...","message":"...","hint":"..."}} on stderr.

On a terminal a table is cut to its width and times are relative. When stdout is
not a terminal nothing is cut, relative or coloured. Control characters are
escaped in every format.
)";

constexpr std::string_view connection_text =
    R"(Where a verb goes is the first of these that is set:

  --server URL        the API of a workerd
  --db DSN            a database, as libpq keywords or a URI
  --dev               that of the workerd --dev running on this machine
  --context NAME      one of ~/.config/qctl/config.yaml
  QCTL_MIGRATE_DB     for migrate only: a role that owns the schema
  QCTL_SERVER
  QCTL_DB
  DATABASE_URL
  PGHOST, PGUSER, ... libpq's own variables, services and password file
  the context in use  qctl context use NAME

A token is read from --token-file, QCTL_TOKEN_FILE or the context's file, which
only its owner may read; it is never a flag, where every user of the machine
could read it. For the same reason keep passwords in the password file
(PGPASSFILE). --schema names the schema the queue is installed in. A statement
may take --timeout (default 10s), unless the DSN sets statement_timeout; with a
server it bounds each request.
)";

constexpr std::string_view contexts_text =
    R"(A context is a server or a database under a name:

  qctl context set prod --url https://queue.example.com --token prod.token --protected
  qctl context set laptop --dsn postgresql://queue@localhost/app
  qctl context use prod
  qctl --context laptop queues list

In a protected context --yes does not do: what changes something demands
--confirm NAME with the name of the context (or, at a terminal, the name typed),
and severe verbs the name they always ask for.

With a server verbs print and return what they do with a database. What the API
does not offer (migrate, doctor, maintain, keys, archive, erase and the like)
ends with exit code 2. Errors name the request, under which the server has
logged it. qctl api sends a request that has no verb of its own.

  QCTL_CONFIG      another file of contexts
  QCTL_CA_FILE     authorities to trust instead of the system's (PEM)
  QCTL_INSECURE=1  send the token even over http to another machine
)";

constexpr std::string_view danger_topic = R"(Verbs that change something have a level:

  mild      asks nothing: retry, cancel, resume, create, replay of named ids
  moderate  asks y/N: pause, replay by filter, discard, migrate adopt, schedules
            remove, batches cancel, topics unsubscribe, archive prune, archive export --remove,
            erase; --yes answers
  severe    asks for a name to be typed: queues purge (the name of the queue),
            dlq discard --all (the word all); --confirm NAME answers, --yes does
            not

When stdin and stderr are not a terminal, or with --no-input, nothing is asked: a
verb that lacks its flag is refused with exit code 2 and says what to pass. With
-n no verb changes anything: it shows what it would act on. A protected context asks
for more: qctl help contexts.
)";

constexpr std::string_view environment_text =
    R"(  QCTL_SERVER, QCTL_DB, DATABASE_URL, QCTL_MIGRATE_DB, PG*
                   see qctl help connection
  QCTL_TOKEN_FILE, QCTL_CONFIG, QCTL_CA_FILE, QCTL_INSECURE
                   see qctl help contexts
  NO_COLOR         any value: no colour
  CLICOLOR_FORCE   any value but 0: colour even without a terminal
  TERM=dumb        no colour
)";

constexpr std::string_view bulk_text =
    R"(qctl enqueue KIND --bulk FILE takes each line as the payload of one job.
qctl enqueue --bulk FILE takes each line as an object:

  kind             text, needed
  payload          any JSON (default {})
  queue            text
  priority         -32768 to 32767, lower runs first
  run_at           time with zone, such as "2026-01-31T08:00:00Z"
  delay            duration, such as "5m"; not with run_at
  idempotency_key  text
  idempotency_ttl  duration
  max_attempts     1 to 1000
  tenant_id        UUID
  meta             object
  tags             array of texts
  traceparent      text

Flags give what a line leaves out. Lines go in batches of 1000, each batch in one
transaction. The first bad line ends the run; it is named, and everything before
it is enqueued (exit 8, or 2 when that is nothing). Ctrl-C stops after the batch
under way and says how far it got. -n checks every line and enqueues none.
)";

constexpr std::array all_topics{
    topic{"exit-codes", "What the exit code means", ""},
    topic{"output", "Formats and what they promise", output_text},
    topic{"connection", "Which database or server is used", connection_text},
    topic{"contexts", "Servers and databases by name", contexts_text},
    topic{"danger", "Which verbs ask, and how to answer in a script", danger_topic},
    topic{"environment", "Environment variables", environment_text},
    topic{"bulk", "The lines of enqueue --bulk", bulk_text},
};

}  // namespace

std::span<const topic> topics() noexcept {
    return all_topics;
}

std::optional<std::string> topic_help(std::string_view name) {
    if (name == "exit-codes") {
        return exit_code_lines();
    }
    if (name == "manual") {
        return manual();
    }
    const auto found =
        std::ranges::find_if(all_topics, [&](const topic& each) { return each.name == name; });
    return found == all_topics.end() ? std::nullopt : std::optional{std::string{found->text}};
}

}  // namespace qctl
