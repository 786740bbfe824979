// Reminds a customer of a cart that was left: the mail is a delayed job, which a newer touch of the
// cart replaces and a purchase cancels. Takes the wait as argument (a shop's `1h`; default `1s`).
// [cart]
#include <libqueue/duration.hpp>
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

struct remind {
    static constexpr libqueue::kind_name kind{"example.cart.remind"};
    std::int64_t cart = 0;
};

struct mail {
    static constexpr libqueue::kind_name kind{"example.cart.mail"};
    std::string to;
    std::string subject;
};

std::binary_semaphore mailed{0};

using connection_ptr = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using row = std::vector<std::string>;

std::string dsn() {
    const char* given = std::getenv("DATABASE_URL");
    return given != nullptr ? given : "";
}

connection_ptr connect() {
    return {PQconnectdb(dsn().c_str()), PQfinish};
}

/// The first row, empty when there is none; NULL is "".
row run(PGconn* on, const char* sql, const std::vector<std::string>& values = {}) {
    std::vector<const char*> texts;
    for (const std::string& value : values) {
        texts.push_back(value.empty() ? nullptr : value.c_str());
    }
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer{
        PQexecParams(on, sql, static_cast<int>(texts.size()), nullptr, texts.data(), nullptr,
                     nullptr, 0),
        PQclear};
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        throw std::runtime_error{PQerrorMessage(on)};
    }
    row first;
    for (int column = 0; PQntuples(answer.get()) > 0 && column < PQnfields(answer.get());
         ++column) {
        first.emplace_back(PQgetvalue(answer.get(), 0, column));
    }
    return first;
}

// The cart names the one job that may remind of it, and its row is locked by whoever touches it,
// buys it or reminds of it: so these come one after the other, and a job that is not named any more
// knows that it is too late. Cancelling it only spares it the run.
void cancel_reminder(PGconn* tx, const std::string& cart, const char* why) {
    const row locked =
        run(tx, "SELECT reminder FROM example_cart WHERE id = $1 FOR UPDATE", {cart});
    run(tx,
        "SELECT queue.cancel(id, $2) FROM queue.jobs WHERE id = $1"
        " AND state IN ('scheduled', 'ready', 'retrying')",
        {locked.at(0), why});
}

/// In the transaction of the shop's own change: both happen or neither does.
libqueue::job_id touch(PGconn* shop, const std::string& cart, std::chrono::milliseconds wait) {
    run(shop, "BEGIN");
    cancel_reminder(shop, cart, "the cart was touched again");
    libqueue::new_job job = libqueue::to_job(remind{std::stoll(cart)});
    const libqueue::job_id id = libqueue::enqueue(shop, job.run_in(wait)).value().id;
    run(shop, "UPDATE example_cart SET items = items + 1, reminder = $2 WHERE id = $1",
        {cart, std::to_string(id)});
    run(shop, "COMMIT");
    std::cout << "cart " << cart << " touched: job " << id << " reminds in "
              << libqueue::format_duration(wait) << '\n';
    return id;
}

void buy(PGconn* shop, const std::string& cart) {
    run(shop, "BEGIN");
    cancel_reminder(shop, cart, "the cart was bought");
    run(shop, "UPDATE example_cart SET bought = true, reminder = NULL WHERE id = $1", {cart});
    run(shop, "COMMIT");
    std::cout << "cart " << cart << " bought\n";
}

// Looks once more, and hands the mail on in the transaction that remembers it was sent: a run that
// is repeated after a crash finds its job no longer named.
libqueue::outcome remind_of(const remind& job, libqueue::job_context& context) {
    const connection_ptr connection = connect();
    PGconn* const tx = connection.get();
    run(tx, "BEGIN");
    const row left = run(tx,
                         "UPDATE example_cart SET reminder = NULL WHERE id = $1 AND reminder = $2"
                         " AND NOT bought AND items > 0 RETURNING customer",
                         {std::to_string(job.cart), std::to_string(context.job().id)});
    if (left.empty()) {
        return libqueue::completed(R"({"reminded": false})");  // Closing rolls back.
    }
    const mail text{left[0], "You left something in your cart"};
    libqueue::enqueue(tx, libqueue::to_job(text)).value();
    run(tx, "COMMIT");
    return libqueue::completed(R"({"reminded": true})");
}

libqueue::outcome send_mail(const mail& job, libqueue::job_context&) {
    std::cout << "mail to " << job.to << ": " << job.subject << '\n';
    mailed.release();
    return libqueue::completed();
}
// [cart]

std::string open_cart(PGconn* shop, const char* customer) {
    return run(shop, "INSERT INTO example_cart (customer) VALUES ($1) RETURNING id", {customer})
        .at(0);
}

}  // namespace

int main(int argc, char** argv) {
    const auto wait = libqueue::parse_duration(argc > 1 ? argv[1] : "1s").value();
    const connection_ptr connection = connect();
    PGconn* const shop = connection.get();
    run(shop, "SET client_min_messages = warning");
    run(shop,
        "CREATE TABLE IF NOT EXISTS example_cart (id bigint GENERATED ALWAYS AS IDENTITY"
        " PRIMARY KEY, customer text NOT NULL, items integer NOT NULL DEFAULT 0,"
        " bought boolean NOT NULL DEFAULT false, reminder bigint)");
    libqueue::worker_options options;
    options.dsn = dsn();
    options.queues.emplace_back("default", 4);
    libqueue::worker worker{
        options, {libqueue::handle<remind>(remind_of), libqueue::handle<mail>(send_mail)}};
    worker.start();

    const std::string left = open_cart(shop, "ada@example.com");
    const std::string bought = open_cart(shop, "ben@example.com");
    const std::string sold_elsewhere = open_cart(shop, "cleo@example.com");
    touch(shop, left, wait);
    touch(shop, bought, wait);
    const libqueue::job_id unneeded = touch(shop, sold_elsewhere, wait);
    const libqueue::job_id needed = touch(shop, left, wait);
    buy(shop, bought);
    // By something that knows nothing of reminders: it is the handler that finds out.
    run(shop, "UPDATE example_cart SET bought = true WHERE id = $1", {sold_elsewhere});

    libqueue::client client{libqueue::client_options{options.dsn}};
    for (const libqueue::job_id job : {unneeded, needed}) {
        const auto done = client.wait(job, wait + std::chrono::seconds{30}).value();
        std::cout << "job " << job << ' ' << libqueue::to_string(done.state) << ": "
                  << done.output.value_or("") << '\n';
    }
    mailed.acquire();
    worker.stop();
}
