#pragma once

#include <libqueue/detail/fields.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

// The names of an aggregate's fields at compile time: a pointer to a field of an object that is
// only declared is a constant, a template over that constant spells it in its signature, and the
// field's name is the last word of it. Works with gcc 12 and clang 14; the assertions at the end
// would tell if another compiler spelt it otherwise.

#if defined(__clang__)
#pragma clang diagnostic push
// The object is never defined, on purpose.
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif

namespace libqueue::detail {

template <typename T>
class declared_only {
   public:
    T value;
};
template <typename T>
extern const declared_only<T> some_object;

// clang 14 takes a pointer into an object as a template argument only inside a class.
template <typename Pointer>
struct field_pointer {
    Pointer to;
};

template <typename T, std::size_t I>
consteval auto point_to_field() {
    auto* to = &std::get<I>(fields_of(some_object<T>.value));
    return field_pointer<decltype(to)>{to};
}

constexpr bool is_name_char(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

// gcc: `... = field_pointer<...>{(& some_object<x>.declared_only<x>::value.x::name)}; ...]`
// clang: `... [Pointer = {&some_object.value.name}]`
consteval std::string_view last_word_in_braces(std::string_view signature) {
    std::size_t end = signature.rfind('}');
    while (end > 0 && !is_name_char(signature[end - 1])) {
        --end;
    }
    std::size_t begin = end;
    while (begin > 0 && is_name_char(signature[begin - 1])) {
        --begin;
    }
    return signature.substr(begin, end - begin);
}

template <auto Pointer>
consteval std::string_view spelt_field() {
    return last_word_in_braces(__PRETTY_FUNCTION__);
}

template <typename T, std::size_t... I>
consteval std::array<std::string_view, sizeof...(I)> spell_fields(std::index_sequence<I...>) {
    return {spelt_field<point_to_field<T, I>()>()...};
}

/// The names of the fields of T, in order of declaration.
template <typename T>
inline constexpr auto field_names = spell_fields<T>(std::make_index_sequence<field_count<T>>{});

// The last word of a type's name, without its namespaces and template arguments.
consteval std::string_view last_word_of_type(std::string_view signature) {
    std::size_t begin = signature.find("T = ") + 4;
    std::size_t end = begin;
    for (; end < signature.size(); ++end) {
        const char c = signature[end];
        if (c == ';' || c == ']' || c == '<') {
            break;
        }
        if (!is_name_char(c)) {
            begin = end + 1;
        }
    }
    return signature.substr(begin, end - begin);
}

template <typename T>
consteval std::string_view spell_type() {
    return last_word_of_type(__PRETTY_FUNCTION__);
}

template <typename T>
inline constexpr std::string_view type_name = spell_type<T>();

class spelling_probe {
   public:
    int first_field;
    char* second;
};
static_assert(field_names<spelling_probe>[0] == "first_field");
static_assert(field_names<spelling_probe>[1] == "second");
static_assert(type_name<spelling_probe> == "spelling_probe");

}  // namespace libqueue::detail

#if defined(__clang__)
#pragma clang diagnostic pop
#endif
