#include "api/as_result.hpp"
#include "api/on_connection.hpp"
#include "api/report.hpp"
#include "store/limit_store.hpp"

#include <libqueue/limits.hpp>

#include <thread>

namespace libqueue {

result<void> limit_control::set(const limit_change& change) {
    return api::as_result([&] {
        api::on_connection(client_,
                           [&](const store::session& with) { store::set_limit(with, change); });
    });
}

result<grant> limit_control::take(std::string_view name, int n, std::string_view key) {
    return reserve(name, n, std::chrono::microseconds{0}, key);
}

result<grant> limit_control::reserve(std::string_view name, int n,
                                     std::chrono::microseconds at_most, std::string_view key) {
    return api::as_result([&] {
        return api::on_connection(client_, [&](const store::session& with) {
            return store::reserve_tokens(with, name, n, key, at_most);
        });
    });
}

result<grant> limit_control::wait(std::string_view name, int n, std::chrono::microseconds at_most,
                                  std::string_view key) {
    const auto give_up = std::chrono::steady_clock::now() + at_most;
    auto left = at_most;
    for (;;) {
        auto answer = reserve(name, n, left, key);
        if (!answer.has_value() || !answer->wait.has_value()) {
            return answer;
        }
        left = std::chrono::duration_cast<std::chrono::microseconds>(
            give_up - std::chrono::steady_clock::now());
        if (!answer->granted && (*answer->wait > left || answer->wait->count() <= 0)) {
            return answer;
        }
        std::this_thread::sleep_for(*answer->wait);
        if (answer->granted) {
            answer->wait = std::chrono::microseconds{0};
            return answer;
        }
        left -= *answer->wait;
    }
}

result<void> limit_control::close(std::string_view name, std::string_view key,
                                  std::chrono::microseconds retry_after, std::string_view reason) {
    return api::as_result([&] {
        api::on_connection(client_, [&](const store::session& with) {
            store::close_limit(with, name, key, retry_after, reason);
        });
    });
}

result<void> limit_control::report_requests(std::string_view name, std::string_view key,
                                            int requests, int errors) {
    return api::as_result([&] {
        api::on_connection(client_, [&](const store::session& with) {
            store::report_requests(with, name, key, requests, errors);
        });
    });
}

result<std::int64_t> limit_control::reset(std::string_view name,
                                          const std::optional<std::string>& key) {
    return api::as_result([&] {
        return api::on_connection(client_, [&](const store::session& with) {
            return store::reset_limit(with, name, key);
        });
    });
}

result<void> limit_control::stop(std::string_view name, std::string_view reason) {
    return api::as_result([&] {
        api::on_connection(
            client_, [&](const store::session& with) { store::stop_limit(with, name, reason); });
    });
}

result<void> limit_control::resume(std::string_view name) {
    return api::as_result([&] {
        api::on_connection(client_,
                           [&](const store::session& with) { store::resume_limit(with, name); });
    });
}

result<report> limit_control::list(const std::optional<std::string>& name) {
    auto found = api::on_connection(client_, [&](const store::session& with) {
        return api::make_report(store::list_limits(with, name));
    });
    if (name && found.rows.empty()) {
        return error{errc::not_found, "no limit '" + *name + "'", "qctl limits list shows all"};
    }
    return found;
}

}  // namespace libqueue
