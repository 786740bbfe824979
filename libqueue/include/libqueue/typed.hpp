#pragma once

#include <libqueue/detail/json_codec.hpp>
#include <libqueue/detail/json_schema.hpp>
#include <libqueue/error.hpp>
#include <libqueue/job.hpp>
#include <libqueue/kind_name.hpp>

#include <boost/json/value.hpp>

#include <concepts>
#include <string>
#include <string_view>

// Typed jobs: a plain struct is the job type, without macro or code generator.
//
//     struct send_email {
//         static constexpr libqueue::kind_name kind{"email.send"};
//         std::string to;
//         std::string subject;
//         std::optional<std::string> reply_to;
//         int copies = 1;
//     };
//     client.enqueue(libqueue::to_job(send_email{"a@b.c", "Hello", {}}));
//     libqueue::result<send_email> mail = libqueue::decode<send_email>(context.payload());
//
// The JSON names are the names of the fields, at most 32 of them. A field may be: bool, any
// integer, float, double, std::string, std::optional, std::vector, a map with std::string keys, an
// enum (as its number), a std::chrono duration of whole numbers (as its count, in its own unit),
// boost::json::value, or a plain struct of these. Arrays, base classes and private fields are not
// supported. What has no JSON form does not compile, and the message names the type.
//
// Types change while jobs wait. So on reading an unknown field is ignored and an absent field
// keeps its default initialiser; only a value of the wrong type or range is an error. Null is a
// value of optional fields only. Integers are exact over all 64 bits and range-checked; doubles
// read back as the same double.
//
// All functions are pure and may be called from any thread.

namespace libqueue {

/// The escape hatch: specialise it for a type that is no plain struct, or to give one (an enum that
/// should travel as a string) another form.
///
///     template <> struct libqueue::codec<colour> {
///         static boost::json::value encode(const colour& value);
///         static libqueue::result<colour> decode(const boost::json::value& json);
///         static boost::json::object schema();  // may be left out: anything
///     };
///
/// The message of decode's error is shown behind the field's path and must not quote the value.
template <typename T>
struct codec;

/// A struct (or a type with a codec) with `static constexpr libqueue::kind_name kind{"..."}`.
template <typename T>
concept job_type = std::same_as<std::remove_cvref_t<decltype(T::kind)>, kind_name> &&
    std::default_initializable<T> && std::movable<T> &&
    (detail::plain_struct<T> || detail::has_codec<T>);

/// The payload of a job. Throws std::invalid_argument that names the field for what JSON or
/// PostgreSQL cannot hold: invalid UTF-8, NUL in a string, NaN, infinity, over 128 levels.
template <job_type T>
[[nodiscard]] std::string encode(const T& value) {
    detail::json_writer to;
    if (!detail::write_json(to, value)) {
        detail::throw_unencodable(T::kind.view(), to.fault);
    }
    return std::move(to.text);
}

/// The job a payload describes. Errors: invalid_payload, as in
/// `order.fulfill: $.items[2].price: expected integer, got string`; never with payload content.
template <job_type T>
[[nodiscard]] result<T> decode(std::string_view json) {
    auto parsed = detail::parse_json(json);
    if (!parsed) {
        return parsed.error();
    }
    T value{};
    detail::json_fault fault;
    if (!detail::read_json(*parsed, value, fault)) {
        return detail::undecodable(T::kind.view(), fault);
    }
    return value;
}

/// A job ready to enqueue, with T's kind and the encoded value as its payload. Throws as `encode`.
template <job_type T>
[[nodiscard]] new_job to_job(const T& value) {
    return new_job{T::kind.str(), encode(value)};
}

/// JSON Schema (2020-12) text of what `decode<T>` reads, with defaults.
template <job_type T>
[[nodiscard]] std::string json_schema() {
    return detail::write_schema_document<T>(T::kind.view());
}

}  // namespace libqueue
