#include "request_memory.hpp"

#include "negotiation.hpp"
#include "problem.hpp"
#include "sha256.hpp"

#include <libqueue/statement.hpp>
#include <sql/api_give_back_request.hpp>
#include <sql/api_keep_answer.hpp>
#include <sql/api_take_request.hpp>

#include <algorithm>
#include <charconv>

namespace workerd::api {

namespace {

constexpr std::size_t key_max = 128;
constexpr int tries = 5;

bool is_true(const libqueue::rows& from, std::size_t column) {
    return from.text(0, column) == "t";
}

answer answer_of(const libqueue::rows& from) {
    int status = 0;
    const auto text = from.text(0, 2);
    std::from_chars(text.data(), text.data() + text.size(), status);
    answer made{status, from.text(0, 5), from.text(0, 3)};
    if (const auto& location = from.value(0, 4))
        made.with("Location", *location);
    return made.with("Idempotency-Replayed", "true");
}

}  // namespace

bool is_request_key(std::string_view text) {
    return !text.empty() && text.size() <= key_max &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

request_memory::request_memory(libqueue::client& database, const libqueue::principal& who,
                               std::string_view key, std::string_view request)
    : database_{database},
      tenant_id_{who.tenant_id},
      key_hash_{
          sha256_hex(who.tenant_id.value_or("") + '\n' + who.actor + '\n' + std::string{key})},
      request_hash_{sha256_hex(request)},
      mark_{random_id()} {}

std::optional<answer> request_memory::take() {
    const libqueue::statement asked{std::string{libqueue::sql::api_take_request},
                                    {key_hash_, tenant_id_, request_hash_, mark_}};
    for (int i = 0; i < tries; ++i) {
        const auto found = database_.query(asked).value();
        if (found.empty())
            continue;
        if (is_true(found, 0))
            return std::nullopt;
        if (!is_true(found, 1))
            refuse(422, "idempotency_conflict",
                   "this Idempotency-Key came with another request before");
        if (!found.value(0, 2)) {
            problem why{409, "conflict", "the request with this Idempotency-Key has no answer yet"};
            why.hint =
                "it is being carried out, or whoever did so ended before it answered: look "
                "before sending it with another key";
            why.retry_after = 1;
            throw refused{std::move(why)};
        }
        return answer_of(found);
    }
    refuse(409, "conflict", "this Idempotency-Key is used by several requests at once");
}

void request_memory::keep(const answer& made) {
    if (made.status >= 500 || made.events)
        return give_back();
    std::optional<std::string> location;
    for (const auto& [name, value] : made.headers)
        if (name == "Location")
            location = value;
    const libqueue::statement kept{
        std::string{libqueue::sql::api_keep_answer},
        {key_hash_, std::to_string(made.status), made.content_type, location, made.body, mark_}};
    static_cast<void>(database_.query(kept).value());
}

void request_memory::give_back() {
    const libqueue::statement freed{std::string{libqueue::sql::api_give_back_request},
                                    {key_hash_, mark_}};
    static_cast<void>(database_.query(freed).value());
}

}  // namespace workerd::api
