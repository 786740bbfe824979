#include "pg/host_order.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace libqueue::pg {
namespace {

class options_closer {
   public:
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};

[[nodiscard]] std::string rotated(const char* list, std::size_t by) {
    std::vector<std::string> each;
    std::string rest{list};
    for (std::size_t comma = rest.find(','); comma != std::string::npos; comma = rest.find(',')) {
        each.push_back(rest.substr(0, comma));
        rest.erase(0, comma + 1);
    }
    each.push_back(rest);
    std::rotate(each.begin(), each.begin() + static_cast<std::ptrdiff_t>(by % each.size()),
                each.end());
    std::string joined = each.front();
    for (std::size_t at = 1; at < each.size(); ++at) {
        joined += "," + each[at];
    }
    return joined;
}

}  // namespace

host_order::host_order(const std::string& dsn, std::size_t first) {
    char* wrong = nullptr;
    const std::unique_ptr<PQconninfoOption, options_closer> options{
        PQconninfoParse(dsn.c_str(), &wrong)};
    PQfreemem(wrong);
    if (options == nullptr) {
        return;  // Connecting says what is wrong with it.
    }
    for (const PQconninfoOption* each = options.get(); each->keyword != nullptr; ++each) {
        const std::string_view key{each->keyword};
        const bool listed = key == "host" || key == "hostaddr" || key == "port";
        // A port alone counts for all hosts and stays.
        if (listed && each->val != nullptr &&
            std::string_view{each->val}.find(',') != std::string_view::npos) {
            several_ = several_ || key != "port";
            words_.emplace_back(key);
            words_.push_back(rotated(each->val, first));
        }
    }
}

void host_order::append_to(std::vector<const char*>& keys, std::vector<const char*>& values) const {
    for (std::size_t at = 0; several_ && at < words_.size(); at += 2) {
        keys.push_back(words_[at].c_str());
        values.push_back(words_[at + 1].c_str());
    }
}

}  // namespace libqueue::pg
