#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace libqueue::processors {

/// Reads the fields of a payload and collects every fault on the way, so that a bad job says all
/// that is wrong with it at once: `payload.to[1]: expected a string, got a number`. Messages name
/// paths and types and never contain payload content.
///
/// Unknown fields are ignored, null counts as absent. After any fault the returned values are
/// defaults: check `ok()` before using them. Views into the text given: it must outlive this.
/// One thread.
class payload_reader {
   public:
    explicit payload_reader(std::string_view json);

    /// Required, not empty.
    [[nodiscard]] std::string text(std::string_view name);
    [[nodiscard]] std::optional<std::string> optional_text(std::string_view name);
    [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view name,
                                                               std::int64_t least,
                                                               std::int64_t most);
    [[nodiscard]] std::optional<bool> optional_flag(std::string_view name);
    /// A string or an array of strings.
    [[nodiscard]] std::vector<std::string> texts(std::string_view name);
    /// An object of strings, in the order given.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> text_map(std::string_view name);
    /// The field's JSON text exactly as it stands: numbers keep every digit. `null` when absent.
    [[nodiscard]] std::string_view raw(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const { return !raw_or_empty(name).empty(); }

    void fault(std::string_view path, std::string_view message);
    [[nodiscard]] bool ok() const noexcept { return faults_.empty(); }
    /// All faults in one line.
    [[nodiscard]] const std::string& faults() const noexcept { return faults_; }

   private:
    [[nodiscard]] std::string_view raw_or_empty(std::string_view name) const;

    std::map<std::string, std::string_view, std::less<>> members_;
    std::string faults_;
};

/// `text` as a JSON string, quotes included.
[[nodiscard]] std::string json_string(std::string_view text);
/// An array of JSON strings.
[[nodiscard]] std::string json_strings(const std::vector<std::string>& texts);

}  // namespace libqueue::processors
