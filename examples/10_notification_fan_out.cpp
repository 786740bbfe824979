// One event, many notifications: whoever wants to hear of orders subscribes, and the shop that
// publishes knows none of them. Each notification is a job of its own, retried on its own.
// [fan_out]
#include <libqueue/libqueue.hpp>

#include <libpq-fe.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <semaphore>
#include <string>

namespace {

/// What the shop publishes is the payload of each job; a handler reads of it what it needs.
struct send_receipt {
    static constexpr libqueue::kind_name kind{"example.notify.receipt"};
    std::string order;
    std::string buyer;
};
struct tell_seller {
    static constexpr libqueue::kind_name kind{"example.notify.seller"};
    std::string order;
    int total = 0;
};
struct thank_personally {
    static constexpr libqueue::kind_name kind{"example.notify.thanks"};
    std::string buyer;
};

std::string kind_of(const libqueue::kind_name& kind) {
    return std::string{kind.view()};
}

/// At every start: a subscription is one per pattern and kind, and set anew it changes.
void subscribe(libqueue::client& on) {
    libqueue::topics topics{on};
    const libqueue::new_subscription receipt{"orders.*.paid", kind_of(send_receipt::kind)};
    topics.subscribe(receipt).value();
    // Of one order the seller hears one thing after the other.
    libqueue::new_subscription seller{"orders.#", kind_of(tell_seller::kind)};
    seller.ordering_key_path = "$.order";
    topics.subscribe(seller).value();
    libqueue::new_subscription thanks{"orders.*.paid", kind_of(thank_personally::kind)};
    thanks.filter = "$.total >= 1000";
    topics.subscribe(thanks).value();
}

using connection_ptr = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using result_ptr = std::unique_ptr<PGresult, decltype(&PQclear)>;

result_ptr run(PGconn* on, const char* sql, std::initializer_list<const char*> values = {}) {
    return {PQexecParams(on, sql, static_cast<int>(values.size()), nullptr, values.begin(), nullptr,
                         nullptr, 0),
            PQclear};
}

/// The order and its event in one transaction: never the one without the other. How many jobs.
int record(PGconn* on, const char* topic, const char* order) {
    run(on, "BEGIN");
    run(on, "INSERT INTO example_paid_order SELECT ($1::jsonb)->>'order'", {order});
    const result_ptr heard = run(on, "SELECT queue.publish($1, $2::jsonb)", {topic, order});
    run(on, "COMMIT");
    if (PQresultStatus(heard.get()) != PGRES_TUPLES_OK) {
        std::cerr << PQerrorMessage(on);
        std::exit(1);
    }
    return std::atoi(PQgetvalue(heard.get(), 0, 0));
}
// [fan_out]

std::counting_semaphore<> notified{0};

template <typename Job>
libqueue::registration telling() {
    return libqueue::handle<Job>([](const Job&, libqueue::job_context&) {
        notified.release();
        return libqueue::completed();
    });
}

}  // namespace

int main() {
    libqueue::worker_options options;
    const char* dsn = std::getenv("DATABASE_URL");
    options.dsn = dsn != nullptr ? dsn : "";
    options.queues.emplace_back("default", 4);
    libqueue::worker worker{
        options, {telling<send_receipt>(), telling<tell_seller>(), telling<thank_personally>()}};
    worker.start();
    libqueue::client client{libqueue::client_options{options.dsn}};
    subscribe(client);

    const connection_ptr connection{PQconnectdb(options.dsn.c_str()), PQfinish};
    run(connection.get(), "SET client_min_messages = warning");
    run(connection.get(), "CREATE TABLE IF NOT EXISTS example_paid_order (id text)");
    int left = 0;
    left += record(connection.get(), "orders.eu.paid",
                   R"({"order": "o-1", "buyer": "ada@example.com", "total": 40})");
    left += record(connection.get(), "orders.us.paid",
                   R"({"order": "o-2", "buyer": "grace@example.com", "total": 4000})");
    left += record(connection.get(), "orders.us.shipped", R"({"order": "o-2", "total": 4000})");
    left += record(connection.get(), "refunds.requested", R"({"order": "o-1"})");  // nobody hears
    std::cout << left << " notifications\n";
    for (; left > 0; --left) {
        notified.acquire();
    }
    worker.stop();
}
