#include "engine/attachments.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace libqueue::engine {
namespace {

constexpr std::string_view batch_member{"batch_id"};
constexpr std::array<std::string_view, 2> key_members{"ordering_key", "concurrency_key"};

}  // namespace

attachments attachments::of(std::string_view meta) {
    attachments found;
    const auto mentions = [&](std::string_view member) {
        return meta.find(member) != std::string_view::npos;
    };
    if (!mentions(batch_member) && std::ranges::none_of(key_members, mentions)) {
        return found;
    }
    // Mentioned is not said: it may stand within another member.
    boost::system::error_code ec;
    const boost::json::value parsed = boost::json::parse(meta, ec);
    if (ec || !parsed.is_object()) {
        return found;
    }
    const boost::json::object& members = parsed.get_object();
    if (const auto* batch = members.if_contains(batch_member);
        batch != nullptr && batch->is_int64()) {
        found.batch = batch->get_int64();
    }
    found.keys = std::ranges::any_of(
        key_members, [&](std::string_view member) { return members.contains(member); });
    return found;
}

}  // namespace libqueue::engine
