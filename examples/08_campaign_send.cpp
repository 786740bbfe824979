// Sends two campaigns: many mails in one batch each, not faster than the provider takes them, to
// nobody more often than agreed, half of them with another text; and reports when all are through.
// [campaign]
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

struct campaign_mail {
    static constexpr libqueue::kind_name kind{"example.campaign.mail"};
    std::string campaign;
    std::string to;
    std::string variant;
};

struct campaign_ref {
    std::string campaign;
};

/// What the batch calls back with when all its mails have ended.
struct campaign_report {
    static constexpr libqueue::kind_name kind{"example.campaign.report"};
    std::string state;
    std::int64_t total = 0;
    std::int64_t failed = 0;
    campaign_ref payload;
};

using connection_ptr = std::unique_ptr<PGconn, decltype(&PQfinish)>;

std::counting_semaphore<> reported{0};

std::string dsn() {
    const char* given = std::getenv("DATABASE_URL");
    return given != nullptr ? given : "";
}

/// The first value of the first row, if any.
std::string run(PGconn* on, const char* sql, const std::vector<std::string>& values = {}) {
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
        throw std::runtime_error{PQerrorMessage(on)};
    }
    return PQntuples(answer.get()) > 0 ? PQgetvalue(answer.get(), 0, 0) : "";
}

/// Half and half, by a hash (FNV-1a) that is the same in every process and at every attempt. The
/// campaign is part of it, or the same people would always be those who get the new text.
std::string variant_of(const std::string& campaign, const std::string& recipient) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : campaign + '\n' + recipient) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    return (hash >> 32U) % 100 < 50 ? "A" : "B";
}

/// Kinds and queues each name one limit; a mail starts when both have a token for it.
libqueue::worker_options make_options() {
    libqueue::worker_options options;
    options.dsn = dsn();
    libqueue::limit_options provider{"example.campaign.provider"};
    provider.rate = 100;  // Mails per second, by all processes together.
    provider.burst = 20;
    libqueue::limit_options recipient{"example.campaign.recipient"};
    recipient.key = "limit_key";
    recipient.rate = 1;  // Per second, for the show: one a day is 1.0 / 86'400.
    recipient.burst = 1;
    options.limits = {provider, recipient};
    options.queues.emplace_back("campaigns", 10).limit = provider.name;
    options.queues.emplace_back("default", 2);
    return options;
}

// Who dies before the end leaves a batch that is never sealed: cancel it and begin anew. What went
// out already is not sent again, for the provider knows campaign and recipient.
void send_campaign(libqueue::client& client, const std::string& campaign,
                   const std::vector<std::string>& recipients) {
    libqueue::batches batches{client};
    libqueue::new_batch wanted{campaign};
    wanted.on_finish(campaign_report::kind.str());
    wanted.with_payload("{\"campaign\": \"" + campaign + "\"}");
    const std::int64_t batch = batches.create(wanted).value();
    std::vector<libqueue::new_job> mails;
    for (const std::string& to : recipients) {
        mails.push_back(libqueue::to_job(campaign_mail{campaign, to, variant_of(campaign, to)}));
        mails.back().in_queue("campaigns").in_batch(batch).limit_key = to;
    }
    const auto sent = client.enqueue_many(mails).value();  // A long list: some thousand at a time.
    batches.seal(batch).value();                           // These are all.
    std::cout << campaign << ": " << sent.size() << " mails enqueued in batch " << batch << '\n';
}

// The table stands for the mail provider; campaign and recipient are the key it is given, under
// which it sends once.
libqueue::outcome send_mail(const campaign_mail& mail, libqueue::job_context&) {
    if (mail.to.find('@') == std::string::npos) {
        return libqueue::discard("no address: " + mail.to);
    }
    const connection_ptr connection{PQconnectdb(dsn().c_str()), PQfinish};
    run(connection.get(),
        "INSERT INTO example_campaign_mail VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        {mail.campaign, mail.to, mail.variant});
    return libqueue::completed();
}

libqueue::outcome report(const campaign_report& batch, libqueue::job_context&) {
    const connection_ptr connection{PQconnectdb(dsn().c_str()), PQfinish};
    const std::string sent =
        run(connection.get(),
            "SELECT json_object_agg(variant, sent ORDER BY variant) FROM (SELECT variant,"
            " count(*) AS sent FROM example_campaign_mail WHERE campaign = $1 GROUP BY variant) s",
            {batch.payload.campaign});
    std::cout << batch.payload.campaign << ": " << batch.state << ", " << batch.failed << " of "
              << batch.total << " failed, sent " << sent << '\n';
    reported.release();
    return libqueue::completed(sent);
}
// [campaign]

}  // namespace

int main() {
    const connection_ptr connection{PQconnectdb(dsn().c_str()), PQfinish};
    run(connection.get(), "SET client_min_messages = warning");
    run(connection.get(),
        "CREATE TABLE IF NOT EXISTS example_campaign_mail (campaign text, recipient text,"
        " variant text NOT NULL, PRIMARY KEY (campaign, recipient))");
    std::vector<std::string> everybody{"nobody"};
    std::vector<std::string> regulars;
    for (int i = 1; i < 100; ++i) {
        everybody.push_back("customer" + std::to_string(i) + "@example.com");
        if (i % 10 == 0) {
            regulars.push_back(everybody.back());
        }
    }
    libqueue::kind_options mails;
    mails.limit = "example.campaign.recipient";
    libqueue::worker worker{make_options(),
                            {libqueue::handle<campaign_mail>(send_mail, mails),
                             libqueue::handle<campaign_report>(report)}};
    worker.start();
    libqueue::client client{libqueue::client_options{dsn()}};
    libqueue::operations{client}.create_queue("campaigns").value();  // Or the worker, as it comes.
    send_campaign(client, "spring", everybody);
    send_campaign(client, "club", regulars);
    reported.acquire();
    reported.acquire();
    worker.stop();
}
