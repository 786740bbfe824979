#pragma once

#include "processors/email/delivery.hpp"
#include "support/smtp_server.hpp"

#include <chrono>
#include <string>

namespace test {

/// Options that fit an SMTP server on this host, and one job to send through it.
class email_bench {
   public:
    explicit email_bench(const smtp_server& server) : email_bench{server.port()} {}
    explicit email_bench(int port) {
        options.port = port;
        options.tls = libqueue::processors::email::tls_mode::none;
        options.from = "Shop <shop@example.test>";
        job.id = 42;
        job.kind = "email.send";
        job.created_at += std::chrono::seconds{1'700'000'000};
        mail_to(R"("b@example.test")");
    }

    void mail_to(const std::string& to, const std::string& more = {}) {
        job.payload = R"({"to": )" + to + R"(, "subject": "Grüße", "text": "Hello\n.\n..dots\n")" +
                      more + "}";
    }

    [[nodiscard]] libqueue::outcome send() { return send(libqueue::processors::run_view{job}); }
    [[nodiscard]] libqueue::outcome send(const libqueue::processors::run_view& run) const {
        libqueue::processors::email::sender sender{options};
        return sender.deliver(run);
    }

    libqueue::processors::email::options options{"127.0.0.1"};
    libqueue::job job;
};

}  // namespace test
