#include "stripe_counterpart.hpp"

#include <filesystem>

namespace test {

namespace {

using fault = stripe_server::fault;

}  // namespace

stripe_counterpart::stripe_counterpart() {
    const auto path = folder_.write("stripe-key", stripe_.key());
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    stripe_.set_slow(std::chrono::milliseconds{1'500});
}

std::string stripe_counterpart::processors_yaml() const {
    return "  payment:\n    provider: stripe\n    key_file: " +
           (folder_.path() / "stripe-key").string() + "\n    base_url: " + stripe_.url() +
           "\n    allow_http: true\n    timeout: 1s\n";
}

std::string stripe_counterpart::more_yaml() const {
    // Wider than Stripe's own, so that a test is not about waiting in line.
    return "limits:\n  stripe: {burst: 1000, rate: 1000/s, concurrency: 100}\n";
}

void stripe_counterpart::fail_with(provider_fault which) {
    stripe_.end_faults();
    switch (which) {
        case provider_fault::none:
            break;
        case provider_fault::lost_reply:
            stripe_.fail_always(fault::lost_reply);
            break;
        case provider_fault::down:
            stripe_.fail_always(fault::down);
            stripe_.fail_reads(fault::down);
            break;
        case provider_fault::slow:
            stripe_.fail_always(fault::slow);
            stripe_.fail_reads(fault::slow);
            break;
        case provider_fault::random:
            stripe_.choose_fault([this](const http_request&) {
                switch (random_() % 20) {
                    case 0:
                    case 1:
                    case 2:
                        return fault::lost_reply;
                    case 3:
                        return fault::saved_500;
                    case 4:
                        return fault::acted_500;
                    case 5:
                    case 6:
                    case 7:
                        return fault::down;
                    case 8:
                        return fault::busy;
                    case 9:
                        return fault::slow;
                    default:
                        return fault::none;
                }
            });
            break;
    }
}

}  // namespace test
