#include "processors/support/counting.hpp"

#include <libqueue/job_context.hpp>

#include <boost/asio/awaitable.hpp>

#include <utility>

namespace libqueue::processors {
namespace {

boost::asio::awaitable<outcome> run(const coroutine_handler& inner, count_rule rule,
                                    job_context& context) {
    auto answer = inner(context);
    outcome said = co_await std::move(answer);
    rule(context, said);
    co_return said;
}

// The lambdas are no coroutines: what they capture lives as long as the registration.

coroutine_handler around(coroutine_handler inner, count_rule rule) {
    if (!inner) {
        return inner;
    }
    return [inner = std::move(inner), rule](job_context& context) {
        return run(inner, rule, context);
    };
}

blocking_handler around(blocking_handler inner, count_rule rule) {
    if (!inner) {
        return inner;
    }
    return [inner = std::move(inner), rule](job_context& context) {
        outcome said = inner(context);
        rule(context, said);
        return said;
    };
}

}  // namespace

std::vector<registration> with_counts(std::vector<registration> kinds, count_rule rule) {
    for (registration& kind : kinds) {
        kind.handle = around(std::move(kind.handle), rule);
        kind.handle_blocking = around(std::move(kind.handle_blocking), rule);
        kind.reconcile = around(std::move(kind.reconcile), rule);
        kind.reconcile_blocking = around(std::move(kind.reconcile_blocking), rule);
    }
    return kinds;
}

boost::json::object members_of_output(const outcome& said) {
    boost::system::error_code ec;
    boost::json::value value = boost::json::parse(said.output(), ec);
    return ec || !value.is_object() ? boost::json::object{} : std::move(value.get_object());
}

std::string text_member(const boost::json::object& of, std::string_view name) {
    const auto* const found = of.if_contains(boost::json::string_view{name.data(), name.size()});
    return found != nullptr && found->is_string() ? std::string{found->get_string()}
                                                  : std::string{};
}

double number_member(const boost::json::object& of, std::string_view name) {
    const auto* const found = of.if_contains(boost::json::string_view{name.data(), name.size()});
    boost::system::error_code ec;
    const double value = found == nullptr ? 0 : found->to_number<double>(ec);
    return ec ? 0 : value;
}

}  // namespace libqueue::processors
