// A processor as a third party would write one: two kinds, tables of its own, and nothing but the
// public headers. Points are granted many at a time and spent one by one; both are counted in the
// transaction that records the job as done, so that no crash counts them twice or not at all.
#include <libqueue/libqueue.hpp>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

namespace loyalty {

using boost::asio::awaitable;
using libqueue::job_context;
using libqueue::outcome;
using libqueue::statement;

constexpr const char* create_account = R"(-- breaking: no
CREATE TABLE loyalty.account (
    name text PRIMARY KEY,
    points bigint NOT NULL CHECK (points >= 0)
);

-- Adds up what each name is granted, in the order of names: two workers never wait for each other.
CREATE FUNCTION loyalty.grant(names text[], points bigint[]) RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO loyalty.account AS a (name, points)
    SELECT u.name, sum(u.points) FROM unnest(names, points) AS u (name, points)
    GROUP BY u.name ORDER BY u.name
    ON CONFLICT (name) DO UPDATE SET points = a.points + excluded.points
$$;
)";

/// Applied by every worker that has the processor, before its first job.
libqueue::migration_set migrations() {
    libqueue::migration_set set;
    set.schema = "loyalty";
    set.migrations.emplace_back(1, "create_account", create_account);
    return set;
}

struct grant {
    static constexpr libqueue::kind_name kind{"loyalty.grant"};
    std::string name;
    int points = 0;
};

struct spend {
    static constexpr libqueue::kind_name kind{"loyalty.spend"};
    std::string name;
    int points = 0;
};

/// `{"a","b"}`, as PostgreSQL reads an array of texts.
std::string array_of(const std::vector<std::string>& texts) {
    std::string array{"{"};
    for (const std::string& text : texts) {
        array += array.size() > 1 ? ",\"" : "\"";
        for (const char c : text) {
            array += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
        }
        array += '"';
    }
    return array + "}";
}

/// Many jobs, one call, one statement.
awaitable<libqueue::batch_outcome> grant_all(std::vector<job_context*> jobs) {
    libqueue::batch_outcome said;
    std::vector<std::string> names;
    std::vector<std::string> points;
    for (const job_context* job : jobs) {
        const auto wanted = libqueue::decode<grant>(job->payload());
        if (wanted.has_error() || wanted->points <= 0) {
            said.each.push_back(libqueue::discard(
                wanted.has_error() ? wanted.error().message : "points: expected more than 0"));
            continue;
        }
        names.push_back(wanted->name);
        points.push_back(std::to_string(wanted->points));
        said.each.push_back(libqueue::completed());
    }
    if (!names.empty()) {
        said.also.emplace_back(
            "SELECT loyalty.grant($1::text[], $2::bigint[])",
            std::vector<std::optional<std::string>>{array_of(names), array_of(points)});
    }
    co_return said;
}

/// Looks first, and leaves it to the check of the table when two spend at once.
awaitable<outcome> spend_some(spend job, job_context& context) {
    const std::string points = std::to_string(job.points);
    const statement look{"SELECT points >= $2::bigint FROM loyalty.account WHERE name = $1",
                         {job.name, points}};
    const auto enough = co_await context.query(look);
    if (enough.value().empty() || enough->text(0, 0) != "t") {
        co_return libqueue::discard("the account has not that many points");
    }
    statement take{"UPDATE loyalty.account SET points = points - $2::bigint WHERE name = $1",
                   {job.name, points}};
    statement tell{"SELECT queue.publish('loyalty.spent', jsonb_build_object('name', $1::text))",
                   {job.name}};
    outcome said = libqueue::completed("{\"spent\": " + points + "}");
    co_return std::move(said).also(std::move(take)).also(std::move(tell));
}

std::vector<libqueue::registration> make_registrations() {
    libqueue::registration granting{grant::kind.str()};
    granting.handle_many = grant_all;
    return {granting, libqueue::handle<spend>(spend_some)};
}

}  // namespace loyalty

int main() {
    const char* dsn = std::getenv("DATABASE_URL");
    libqueue::worker_options options;
    options.dsn = dsn != nullptr ? dsn : "";
    options.queues.emplace_back("default", 50);
    options.migration_sets.push_back(loyalty::migrations());
    libqueue::worker worker{options, loyalty::make_registrations()};
    worker.start();

    libqueue::client client{libqueue::client_options{options.dsn}};
    std::vector<libqueue::new_job> grants;
    for (int i = 0; i < 100; ++i) {
        grants.push_back(libqueue::to_job(loyalty::grant{i % 2 == 0 ? "ada" : "ben", 10}));
    }
    for (const libqueue::job_id id : client.enqueue_many(grants).value()) {
        client.wait(id, std::chrono::seconds{20}).value();
    }
    for (const int points : {450, 450}) {
        const auto id = client.enqueue(libqueue::to_job(loyalty::spend{"ada", points})).value().id;
        const auto done = client.wait(id, std::chrono::seconds{20}).value();
        std::cout << "spend " << points << ": " << libqueue::to_string(done.state) << '\n';
    }
    worker.stop();
}
