#pragma once

#include <libqueue/detail/field_names.hpp>
#include <libqueue/detail/json_text.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace libqueue {

template <typename T>
struct codec;

}  // namespace libqueue

// Which C++ types have a JSON form, and both directions for each.

namespace libqueue::detail {

template <typename T>
concept has_codec = requires(const T& value, const boost::json::value& json) {
    { codec<T>::encode(value) } -> std::same_as<boost::json::value>;
    { codec<T>::decode(json) } -> std::same_as<result<T>>;
};

template <typename T, template <typename...> class Template>
inline constexpr bool is_a = false;
template <typename... Args, template <typename...> class Template>
inline constexpr bool is_a<Template<Args...>, Template> = true;

template <typename T>
inline constexpr bool is_duration = false;
template <std::signed_integral Rep, typename Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;

template <typename T>
concept character = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
    std::same_as<T, char16_t> || std::same_as<T, char32_t>;
template <typename T>
concept whole_number = std::integral<T> && !std::same_as<T, bool> && !character<T>;
template <typename T>
concept real_number = std::same_as<T, double> || std::same_as<T, float>;
template <typename T>
concept string_map = requires {
    typename T::key_type;
    typename T::mapped_type;
    requires std::same_as<typename T::key_type, std::string>;
};
// std::array is an aggregate too, but of one field whose name nobody knows.
template <typename T>
concept plain_struct = std::is_class_v<T> && std::is_aggregate_v<T> && !requires {
    typename T::value_type;
    typename T::iterator;
};

/// Names the type in the compiler's message.
template <typename T>
class unsupported_field_type {
    static_assert(sizeof(T) == 0,
                  "this field has no JSON form. Supported: bool, integers, float, double, "
                  "std::string, std::optional, std::vector, maps with std::string keys, enums, "
                  "std::chrono durations of whole numbers, boost::json::value and plain structs "
                  "of these. For anything else specialise libqueue::codec<T>");
};

template <typename T>
[[nodiscard]] bool write_json(json_writer& to, const T& from);
template <typename T>
[[nodiscard]] bool read_json(const boost::json::value& from, T& to, json_fault& fault);

// ---- writing

template <plain_struct T>
[[nodiscard]] bool write_fields(json_writer& to, const T& from) {
    if (!to.begin_object()) {
        return false;
    }
    const auto fields = fields_of(from);
    const auto write_one = [&]<std::size_t I>(number<I>) {
        const auto& field = std::get<I>(fields);
        using field_type = std::remove_cvref_t<decltype(field)>;
        if constexpr (is_a<field_type, std::optional> && !has_codec<field_type>) {
            // Absent means "the default", so an empty field whose default is not empty says null.
            const T fresh{};
            if (!field && !std::get<I>(fields_of(fresh))) {
                return true;
            }
        }
        return (to.key(field_names<T>[I]) && write_json(to, field)) ||
               to.fault.in_field(field_names<T>[I]);
    };
    const bool good = [&]<std::size_t... I>(std::index_sequence<I...>) {
        return (write_one(number<I>{}) && ...);
    }
    (std::make_index_sequence<field_count<T>>{});
    to.end_object();
    return good;
}

template <typename T>
[[nodiscard]] bool write_items(json_writer& to, const T& from) {
    if (!to.begin_array()) {
        return false;
    }
    for (std::size_t i = 0; i < from.size(); ++i) {
        // A copy for std::vector<bool>, whose elements are proxies.
        const typename T::value_type& item = from[i];
        if (!write_json(to, item)) {
            return to.fault.in_item(i);
        }
    }
    to.end_array();
    return true;
}

template <string_map T>
[[nodiscard]] bool write_map(json_writer& to, const T& from) {
    if (!to.begin_object()) {
        return false;
    }
    for (const auto& [key, value] : from) {
        if (!to.key(key) || !write_json(to, value)) {
            return to.fault.in_map();
        }
    }
    to.end_object();
    return true;
}

template <typename T>
bool write_json(json_writer& to, const T& from) {
    if constexpr (has_codec<T>) {
        return to.value(codec<T>::encode(from));
    } else if constexpr (std::same_as<T, boost::json::value>) {
        return to.value(from);
    } else if constexpr (std::same_as<T, bool>) {
        to.boolean(from);
        return true;
    } else if constexpr (whole_number<T>) {
        to.integer(
            static_cast<std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>(
                from));
        return true;
    } else if constexpr (std::is_enum_v<T>) {
        return write_json(to, static_cast<std::underlying_type_t<T>>(from));
    } else if constexpr (is_duration<T>) {
        to.integer(std::int64_t{from.count()});
        return true;
    } else if constexpr (real_number<T>) {
        return to.number(double{from});
    } else if constexpr (std::same_as<T, std::string>) {
        return to.string(from);
    } else if constexpr (is_a<T, std::optional>) {
        if (!from) {
            to.null();
            return true;
        }
        return write_json(to, *from);
    } else if constexpr (is_a<T, std::vector>) {
        return write_items(to, from);
    } else if constexpr (string_map<T>) {
        return write_map(to, from);
    } else if constexpr (plain_struct<T>) {
        return write_fields(to, from);
    } else {
        static_cast<void>(unsupported_field_type<T>{});
        return false;
    }
}

// ---- reading

template <plain_struct T>
[[nodiscard]] bool read_fields(const boost::json::value& from, T& to, json_fault& fault) {
    const boost::json::object* object = from.if_object();
    if (object == nullptr) {
        return mismatch("object", from, fault);
    }
    const auto fields = fields_of(to);
    const auto read_one = [&]<std::size_t I>(number<I>) {
        constexpr std::string_view name = field_names<T>[I];
        const boost::json::value* found = object->if_contains(name);
        // Absent: the field keeps its default, which is how a type gains fields over the years.
        return found == nullptr || read_json(*found, std::get<I>(fields), fault) ||
               fault.in_field(name);
    };
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return (read_one(number<I>{}) && ...);
    }
    (std::make_index_sequence<field_count<T>>{});
}

template <typename T>
[[nodiscard]] bool read_items(const boost::json::value& from, T& to, json_fault& fault) {
    const boost::json::array* array = from.if_array();
    if (array == nullptr) {
        return mismatch("array", from, fault);
    }
    to.clear();
    to.reserve(array->size());
    for (std::size_t i = 0; i < array->size(); ++i) {
        typename T::value_type item{};
        if (!read_json((*array)[i], item, fault)) {
            return fault.in_item(i);
        }
        to.push_back(std::move(item));
    }
    return true;
}

template <string_map T>
[[nodiscard]] bool read_map(const boost::json::value& from, T& to, json_fault& fault) {
    const boost::json::object* object = from.if_object();
    if (object == nullptr) {
        return mismatch("object", from, fault);
    }
    to.clear();
    for (const auto& member : *object) {
        typename T::mapped_type value{};
        if (!read_json(member.value(), value, fault)) {
            return fault.in_map();
        }
        to.insert_or_assign(std::string{member.key().data(), member.key().size()},
                            std::move(value));
    }
    return true;
}

template <whole_number T>
[[nodiscard]] bool read_whole(const boost::json::value& from, T& to, json_fault& fault) {
    using limits = std::numeric_limits<T>;
    using widest = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
    widest value{};
    bool good = false;
    if constexpr (std::is_signed_v<T>) {
        good = read_integer(from, limits::min(), limits::max(), value, fault);
    } else {
        good = read_integer(from, limits::max(), value, fault);
    }
    to = static_cast<T>(value);
    return good;
}

template <typename T>
[[nodiscard]] bool read_through_codec(const boost::json::value& from, T& to, json_fault& fault) {
    result<T> decoded = codec<T>::decode(from);
    if (!decoded) {
        return fault.set(decoded.error().message);
    }
    to = std::move(*decoded);
    return true;
}

template <typename T>
[[nodiscard]] bool read_optional(const boost::json::value& from, T& to, json_fault& fault) {
    if (from.is_null()) {
        to.reset();
        return true;
    }
    return read_json(from, to.emplace(), fault);
}

template <typename T>
bool read_json(const boost::json::value& from, T& to, json_fault& fault) {
    if constexpr (has_codec<T>) {
        return read_through_codec(from, to, fault);
    } else if constexpr (std::same_as<T, boost::json::value>) {
        to = from;
        return true;
    } else if constexpr (std::same_as<T, bool>) {
        const bool* value = from.if_bool();
        to = value != nullptr && *value;
        return value != nullptr || mismatch("boolean", from, fault);
    } else if constexpr (whole_number<T>) {
        return read_whole(from, to, fault);
    } else if constexpr (std::is_enum_v<T>) {
        std::underlying_type_t<T> value{};
        const bool good = read_json(from, value, fault);
        to = static_cast<T>(value);
        return good;
    } else if constexpr (is_duration<T>) {
        typename T::rep count{};
        const bool good = read_json(from, count, fault);
        to = T{count};
        return good;
    } else if constexpr (real_number<T>) {
        double value{};
        const bool good = read_number(from, double{std::numeric_limits<T>::max()}, value, fault);
        to = static_cast<T>(value);
        return good;
    } else if constexpr (std::same_as<T, std::string>) {
        const boost::json::string* value = from.if_string();
        if (value == nullptr) {
            return mismatch("string", from, fault);
        }
        to.assign(value->data(), value->size());
        return true;
    } else if constexpr (is_a<T, std::optional>) {
        return read_optional(from, to, fault);
    } else if constexpr (is_a<T, std::vector>) {
        return read_items(from, to, fault);
    } else if constexpr (string_map<T>) {
        return read_map(from, to, fault);
    } else if constexpr (plain_struct<T>) {
        return read_fields(from, to, fault);
    } else {
        static_cast<void>(unsupported_field_type<T>{});
        return false;
    }
}

}  // namespace libqueue::detail
