#pragma once

#include <libqueue/detail/json_codec.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A JSON Schema (2020-12) for what a job type reads. Since an absent field keeps its default, no
// field is "required"; since unknown fields are ignored, none is forbidden.

namespace libqueue::detail {

// Its address identifies T without RTTI.
template <typename T>
inline constexpr char type_tag = 0;

/// The structs met so far. Each is described once, under "$defs", so a type may contain itself.
class schema_definitions {
   public:
    class definition {
       public:
        const void* tag;
        std::string name;
        std::string schema;
    };

    /// The reference to a type, and whether it still has to be described.
    [[nodiscard]] std::pair<std::size_t, bool> find_or_add(const void* tag, std::string_view name);
    [[nodiscard]] std::string reference(std::size_t index) const;

    std::vector<definition> known;  // the first is the job type itself
};

void write_integer_schema(json_writer& to, std::int64_t min, std::uint64_t max);
void write_string_member(json_writer& to, std::string_view key, std::string_view value);
void write_duration_unit(json_writer& to, std::intmax_t num, std::intmax_t den);

template <typename T>
void write_schema_members(json_writer& to, schema_definitions& known);

template <typename T>
void write_schema(json_writer& to, schema_definitions& known) {
    static_cast<void>(to.begin_object());
    write_schema_members<T>(to, known);
    to.end_object();
}

template <typename T>
void write_nested_schema(json_writer& to, std::string_view key, schema_definitions& known) {
    static_cast<void>(to.key(key));
    write_schema<T>(to, known);
}

// The default of a field is worth telling unless it says nothing (null) or is told elsewhere (a
// struct has its defaults with its own fields).
template <typename T>
void write_default(json_writer& to, const T& value) {
    json_writer text;
    if (plain_struct<T> || !write_json(text, value) || text.text == "null") {
        return;
    }
    static_cast<void>(to.key("default"));
    to.raw(text.text);
}

template <plain_struct T>
void write_properties(json_writer& to, schema_definitions& known) {
    const T fresh{};
    const auto fields = fields_of(fresh);
    const auto write_one = [&]<std::size_t I>(number<I>) {
        using field_type = std::remove_cvref_t<std::tuple_element_t<I, decltype(fields)>>;
        static_cast<void>(to.key(field_names<T>[I]));
        static_cast<void>(to.begin_object());
        write_schema_members<field_type>(to, known);
        write_default(to, std::get<I>(fields));
        to.end_object();
    };
    write_string_member(to, "type", "object");
    static_cast<void>(to.key("properties"));
    static_cast<void>(to.begin_object());
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (write_one(number<I>{}), ...);
    }
    (std::make_index_sequence<field_count<T>>{});
    to.end_object();
}

template <plain_struct T>
void write_struct_reference(json_writer& to, schema_definitions& known) {
    const auto [index, added] = known.find_or_add(&type_tag<T>, type_name<T>);
    if (added) {
        json_writer described;
        static_cast<void>(described.begin_object());
        write_properties<T>(described, known);
        described.end_object();
        known.known[index].schema = std::move(described.text);
    }
    write_string_member(to, "$ref", known.reference(index));
}

template <typename T>
void write_codec_schema(json_writer& to) {
    if constexpr (requires { codec<T>::schema(); }) {
        const boost::json::object described = codec<T>::schema();
        for (const auto& member : described) {
            static_cast<void>(to.key({member.key().data(), member.key().size()}) &&
                              to.value(member.value()));
        }
    }
}

template <typename T>
void write_schema_members(json_writer& to, schema_definitions& known) {
    if constexpr (has_codec<T>) {
        write_codec_schema<T>(to);
    } else if constexpr (std::same_as<T, boost::json::value>) {
        return;  // anything
    } else if constexpr (std::same_as<T, bool>) {
        write_string_member(to, "type", "boolean");
    } else if constexpr (whole_number<T>) {
        write_integer_schema(to, static_cast<std::int64_t>(std::numeric_limits<T>::min()),
                             static_cast<std::uint64_t>(std::numeric_limits<T>::max()));
    } else if constexpr (std::is_enum_v<T>) {
        write_schema_members<std::underlying_type_t<T>>(to, known);
    } else if constexpr (is_duration<T>) {
        write_schema_members<typename T::rep>(to, known);
        write_duration_unit(to, T::period::num, T::period::den);
    } else if constexpr (real_number<T>) {
        write_string_member(to, "type", "number");
    } else if constexpr (std::same_as<T, std::string>) {
        write_string_member(to, "type", "string");
    } else if constexpr (is_a<T, std::optional>) {
        static_cast<void>(to.key("anyOf"));
        static_cast<void>(to.begin_array());
        write_schema<typename T::value_type>(to, known);
        to.raw(R"({"type":"null"})");
        to.end_array();
    } else if constexpr (is_a<T, std::vector>) {
        write_string_member(to, "type", "array");
        write_nested_schema<typename T::value_type>(to, "items", known);
    } else if constexpr (string_map<T>) {
        write_string_member(to, "type", "object");
        write_nested_schema<typename T::mapped_type>(to, "additionalProperties", known);
    } else if constexpr (plain_struct<T>) {
        write_struct_reference<T>(to, known);
    } else {
        static_cast<void>(unsupported_field_type<T>{});
    }
}

void write_definitions(json_writer& to, const schema_definitions& known);

/// The whole document of a job type.
template <typename T>
[[nodiscard]] std::string write_schema_document(std::string_view title) {
    json_writer to;
    schema_definitions known;
    static_cast<void>(to.begin_object());
    write_string_member(to, "$schema", "https://json-schema.org/draft/2020-12/schema");
    write_string_member(to, "title", title);
    if constexpr (plain_struct<T> && !has_codec<T>) {
        static_cast<void>(known.find_or_add(&type_tag<T>, type_name<T>));
        write_properties<T>(to, known);
    } else {
        write_schema_members<T>(to, known);
    }
    write_definitions(to, known);
    to.end_object();
    return std::move(to.text);
}

}  // namespace libqueue::detail
