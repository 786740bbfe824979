// Copies a shop's products page by page: a job that is started, looked at, stopped and retried,
// goes on behind the last page it kept, and never runs beside another one of the same shop. Ends
// when it has played that through.
// [sync]
#include <libqueue/libqueue.hpp>

#include <libpq-fe.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct copy_products {
    static constexpr libqueue::kind_name kind{"example.sync"};
    std::string shop;
    int page = 50;
};

/// What the schedule fires: starts a copy, unless one is under way.
struct copy_due {
    static constexpr libqueue::kind_name kind{"example.sync.due"};
    std::string shop;
};

using connection_ptr = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using row = std::vector<std::string>;

std::counting_semaphore<> answers{0};  ///< how many pages the shop gives, for a slow one
std::counting_semaphore<> pages{0};    ///< copied and kept

std::string dsn() {
    const char* given = std::getenv("DATABASE_URL");
    return given != nullptr ? given : "";
}

/// The first row, empty when there is none; NULL is "".
row run(PGconn* on, const char* sql, const std::vector<std::string>& values = {}) {
    std::vector<const char*> texts;
    for (const std::string& value : values) {
        texts.push_back(value.c_str());
    }
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer{
        PQexecParams(on, sql, static_cast<int>(texts.size()), nullptr, texts.data(), nullptr,
                     nullptr, 0),
        PQclear};
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        throw std::runtime_error{PQerrorMessage(on)};  // Out of a handler: the job is retried.
    }
    row first;
    for (int column = 0; PQntuples(answer.get()) > 0 && column < PQnfields(answer.get());
         ++column) {
        first.emplace_back(PQgetvalue(answer.get(), 0, column));
    }
    return first;
}

// A page that is copied twice, because the process died before it was kept, changes nothing.
constexpr const char* copy_page =
    "WITH page AS (SELECT shop, id, name FROM example_product"
    " WHERE shop = $1 AND id > $2 ORDER BY id LIMIT $3),"
    " changed AS (INSERT INTO example_product_copy AS c SELECT shop, id, name FROM page"
    " ON CONFLICT (shop, id) DO UPDATE SET name = excluded.name WHERE c.name <> excluded.name"
    " RETURNING 1)"
    " SELECT max(id), count(*), (SELECT count(*) FROM changed) FROM page";

libqueue::outcome copy(const copy_products& job, libqueue::job_context& context) {
    const connection_ptr connection{PQconnectdb(dsn().c_str()), PQfinish};
    const std::int64_t from = std::stoll(context.last_checkpoint_blocking().value_or("0"));
    std::int64_t after = from;
    std::int64_t changed = 0;
    const row total =
        run(connection.get(), "SELECT greatest(1, max(id)) FROM example_product WHERE shop = $1",
            {job.shop});
    for (;; pages.release()) {
        while (!context.stop_requested() &&
               !answers.try_acquire_for(std::chrono::milliseconds{10})) {
        }
        if (context.stop_requested()) {
            // That is what it means when somebody asked; when the worker leaves or the time is up,
            // the job goes back in line.
            return libqueue::cancelled("stopped behind product " + std::to_string(after));
        }
        const row page = run(connection.get(), copy_page,
                             {job.shop, std::to_string(after), std::to_string(job.page)});
        if (page[1] == "0") {
            return libqueue::completed("{\"from\": " + std::to_string(from) +
                                       ", \"to\": " + std::to_string(after) +
                                       ", \"changed\": " + std::to_string(changed) + "}");
        }
        after = std::stoll(page[0]);
        changed += std::stoll(page[2]);
        if (context.checkpoint_blocking(std::to_string(after)).has_error()) {
            return libqueue::retry("the lease is lost");  // Not recorded: the job is another's.
        }
        context.progress(static_cast<double>(after) / std::stod(total[0]),
                         "product " + std::to_string(after));
    }
}

/// What a shop's back office offers. The client must outlive it.
class copies {
   public:
    explicit copies(libqueue::client& client) : client_{client}, jobs_{client}, records_{client} {}

    /// The key holds whoever enqueues it, and when an old copy is retried beside a new one.
    libqueue::job_id start(const std::string& shop) {
        libqueue::new_job job = libqueue::to_job(copy_products{shop});
        job.at_most(1, "sync:" + shop).tag(shop);
        return client_.enqueue(job).value().id;
    }

    /// True: it waited and is cancelled. False: it runs, and stops at the end of its page.
    bool stop(libqueue::job_id id) { return client_.cancel(id, "stopped by hand").value(); }
    /// The same job again, with what it kept.
    void retry(libqueue::job_id id) { client_.retry(id).value(); }

    bool under_way(const std::string& shop) {
        libqueue::job_filter open;
        open.kind = copy_products::kind.str();
        open.tag = shop;
        open.states = {libqueue::job_state::scheduled, libqueue::job_state::ready,
                       libqueue::job_state::running, libqueue::job_state::retrying};
        return !jobs_.list_jobs(open).rows.empty();
    }

    void print_status(libqueue::job_id id) {
        const libqueue::report why = jobs_.explain(id).value();
        std::cout << "job " << id << ' ' << libqueue::to_string(client_.get(id).value().state)
                  << ", behind product " << records_.checkpoint(id).value_or("0") << ": "
                  << why.rows[0][1].value_or("") << '\n';
    }

    void print_history(libqueue::job_id id) {
        for (const auto& run : jobs_.attempts(id).rows) {  // Lease, attempt, outcome, ...
            std::cout << "  " << run[2].value_or("") << ' ' << run[9].value_or("")
                      << run[10].value_or("") << '\n';
        }
    }

   private:
    libqueue::client& client_;
    libqueue::operations jobs_;
    libqueue::run_records records_;
};

libqueue::outcome start_due(const copy_due& due, libqueue::job_context&) {
    libqueue::client client{libqueue::client_options{dsn()}};
    copies products{client};
    if (products.under_way(due.shop)) {
        return libqueue::completed(R"({"started": false})");
    }
    products.start(due.shop);
    return libqueue::completed(R"({"started": true})");
}
// [sync]

void make_products() {
    const connection_ptr connection{PQconnectdb(dsn().c_str()), PQfinish};
    for (const char* sql :
         {"SET client_min_messages = warning",
          "CREATE TABLE IF NOT EXISTS example_product (shop text, id bigint, name text NOT NULL,"
          " PRIMARY KEY (shop, id))",
          "CREATE TABLE IF NOT EXISTS example_product_copy (LIKE example_product INCLUDING ALL)",
          "INSERT INTO example_product SELECT 'books', n, 'book ' || n FROM generate_series(1, 500)"
          " n ON CONFLICT DO NOTHING"}) {
        run(connection.get(), sql);
    }
}

void let_pages_through(int count) {
    answers.release(count);
    for (; count > 0; --count) {
        pages.acquire();
    }
}

}  // namespace

int main() {
    make_products();
    libqueue::worker_options options;
    options.dsn = dsn();
    options.queues.emplace_back("default", 4);
    libqueue::worker worker{
        options, {libqueue::handle<copy_products>(copy), libqueue::handle<copy_due>(start_due)}};
    worker.start();
    libqueue::client client{libqueue::client_options{options.dsn}};
    libqueue::schedules schedules{client};
    libqueue::new_schedule hourly{"sync.books", "@hourly", libqueue::to_job(copy_due{"books"})};
    schedules.set(hourly.without_overlap()).value();

    copies products{client};
    const auto in_time = std::chrono::seconds{30};
    const libqueue::job_id first = products.start("books");
    let_pages_through(3);
    products.print_status(first);
    products.stop(first);
    client.wait(first, in_time).value();
    products.print_status(first);

    products.retry(first);
    let_pages_through(1);
    const libqueue::job_id second = products.start("books");  // Somebody else, at the same time.
    products.print_status(second);
    const libqueue::job_id slot = schedules.run_now("sync.books").value();  // As every hour.
    client.wait(slot, in_time).value();
    answers.release(100);
    for (const libqueue::job_id job : {slot, first, second}) {
        client.wait(job, in_time).value();
        std::cout << "job " << job << '\n';
        products.print_history(job);
    }
    schedules.remove("sync.books").value();
    worker.stop();
}
