#include <libqueue/detail/json_schema.hpp>

#include <algorithm>
#include <array>

namespace libqueue::detail {

std::pair<std::size_t, bool> schema_definitions::find_or_add(const void* tag,
                                                             std::string_view name) {
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (known[i].tag == tag) {
            return {i, false};
        }
    }
    // Two types of different namespaces may have the same last name.
    std::string unique{name};
    const auto taken = [&](const definition& one) {
        return one.name == unique;
    };
    for (int n = 2; std::any_of(known.begin(), known.end(), taken); ++n) {
        unique = std::string{name} + "_" + std::to_string(n);
    }
    known.push_back({tag, std::move(unique), {}});
    return {known.size() - 1, true};
}

std::string schema_definitions::reference(std::size_t index) const {
    return index == 0 ? "#" : "#/$defs/" + known[index].name;
}

void write_string_member(json_writer& to, std::string_view key, std::string_view value) {
    static_cast<void>(to.key(key) && to.string(value));
}

void write_integer_schema(json_writer& to, std::int64_t min, std::uint64_t max) {
    write_string_member(to, "type", "integer");
    static_cast<void>(to.key("minimum"));
    to.integer(min);
    static_cast<void>(to.key("maximum"));
    to.integer(max);
}

void write_duration_unit(json_writer& to, std::intmax_t num, std::intmax_t den) {
    class unit {
       public:
        std::intmax_t num;
        std::intmax_t den;
        std::string_view name;
    };
    static constexpr std::array<unit, 7> units{{
        {1, 1'000'000'000, "nanoseconds"},
        {1, 1'000'000, "microseconds"},
        {1, 1'000, "milliseconds"},
        {1, 1, "seconds"},
        {60, 1, "minutes"},
        {3'600, 1, "hours"},
        {86'400, 1, "days"},
    }};
    for (const unit& one : units) {
        if (one.num == num && one.den == den) {
            write_string_member(to, "description", one.name);
        }
    }
}

void write_definitions(json_writer& to, const schema_definitions& known) {
    // The first stands at the top of the document.
    if (known.known.size() < 2) {
        return;
    }
    static_cast<void>(to.key("$defs"));
    static_cast<void>(to.begin_object());
    for (std::size_t i = 1; i < known.known.size(); ++i) {
        static_cast<void>(to.key(known.known[i].name));
        to.raw(known.known[i].schema);
    }
    to.end_object();
}

}  // namespace libqueue::detail
