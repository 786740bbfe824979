#include "processors/email/attachment.hpp"

#include "processors/support/crypto.hpp"
#include "processors/support/text_rules.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <optional>
#include <set>

namespace libqueue::processors::email {

namespace {

namespace json = boost::json;

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_type = 127;
constexpr std::size_t longest_id = 64;

bool is_file_name(std::string_view name) {
    return !name.empty() && name.size() <= longest_name && !has_control_characters(name) &&
           name.find_first_of("/\\\t") == std::string_view::npos && name != "." && name != "..";
}

bool is_leaf_type(std::string_view type) {
    const auto slash = type.find('/');
    if (type.size() > longest_type || slash == std::string_view::npos) {
        return false;
    }
    const auto major = to_lower(type.substr(0, slash));
    // Those two may not be encoded as base64 (RFC 2045 section 6.4).
    return is_token(major) && is_token(type.substr(slash + 1)) && major != "multipart" &&
           major != "message";
}

bool is_content_id(std::string_view id) {
    return !id.empty() && id.size() <= longest_id && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view{"._-@"}.find(c) != std::string_view::npos;
    });
}

/// One entry of the list; every fault names its position.
class entry_reader {
   public:
    entry_reader(payload_reader& reader, const json::object& entry, std::size_t index)
        : reader_{reader}, entry_{entry}, path_{"attachments[" + std::to_string(index) + "]"} {}

    std::optional<std::string> text(std::string_view name) const {
        const auto* value = entry_.if_contains(json::string_view{name.data(), name.size()});
        if (value == nullptr || !value->is_string()) {
            return std::nullopt;
        }
        const auto& found = value->get_string();
        return std::string{found.data(), found.size()};
    }
    void fault(std::string_view name, std::string_view message) {
        reader_.fault(path_ + "." + std::string{name}, message);
    }

   private:
    payload_reader& reader_;
    const json::object& entry_;
    std::string path_;
};

std::optional<attachment> read_entry(entry_reader from) {
    const auto name = from.text("name").value_or("");
    const auto type = from.text("type").value_or("");
    const auto encoded = from.text("content");
    const auto content = encoded ? base64_decode(*encoded) : std::nullopt;
    const auto id = from.text("inline_id");
    if (!is_file_name(name)) {
        from.fault("name", "expected a file name of 1 to 255 bytes, without a path");
    }
    if (!is_leaf_type(type)) {
        from.fault("type", "expected a media type that is not multipart/* or message/*");
    }
    if (!content) {
        from.fault("content", "expected base64");
    }
    if (id && !is_content_id(*id)) {
        from.fault("inline_id", "expected 1 to 64 letters, digits, '.', '_', '-' or '@'");
    }
    if (!content) {
        return std::nullopt;
    }
    attachment made{name, to_lower(type), *content};
    made.inline_id = id.value_or("");
    return made;
}

}  // namespace

std::vector<attachment> read_attachments(payload_reader& reader) {
    std::vector<attachment> all;
    if (!reader.has("attachments")) {
        return all;
    }
    const auto text = reader.raw("attachments");
    json::error_code failed;
    const auto value = json::parse(json::string_view{text.data(), text.size()}, failed);
    if (failed || !value.is_array() || value.get_array().size() > most_attachments) {
        reader.fault("attachments", "expected an array of at most 20 objects");
        return all;
    }
    std::size_t index = 0;
    std::size_t bytes = 0;
    std::set<std::string> ids;
    for (const auto& item : value.get_array()) {
        const auto at = index++;
        if (!item.is_object()) {
            reader.fault("attachments[" + std::to_string(at) + "]", "expected an object");
            continue;
        }
        auto made = read_entry(entry_reader{reader, item.get_object(), at});
        if (!made) {
            continue;
        }
        bytes += made->content.size();
        if (!made->inline_id.empty() && !ids.insert(made->inline_id).second) {
            reader.fault("attachments[" + std::to_string(at) + "].inline_id", "is there twice");
        }
        all.push_back(std::move(*made));
    }
    if (bytes > most_attached_bytes) {
        reader.fault("attachments", "expected at most 10 MiB in all");
    }
    return all;
}

}  // namespace libqueue::processors::email
