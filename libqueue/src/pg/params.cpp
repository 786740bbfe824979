#include "pg/params.hpp"

#include <libqueue/error.hpp>

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <cstring>
#include <limits>

namespace libqueue::pg {
namespace {

// Fixed by PostgreSQL's catalog (pg_type.dat) for ever.
constexpr unsigned bool_oid{16};
constexpr unsigned int8_oid{20};
constexpr unsigned int2_oid{21};
constexpr unsigned int4_oid{23};
constexpr unsigned text_oid{25};
constexpr unsigned timestamptz_oid{1184};
constexpr unsigned bool_array_oid{1000};
constexpr unsigned int2_array_oid{1005};
constexpr unsigned int4_array_oid{1007};
constexpr unsigned text_array_oid{1009};
constexpr unsigned int8_array_oid{1016};
constexpr unsigned jsonb_oid{3802};
constexpr unsigned jsonb_array_oid{3807};
constexpr unsigned timestamptz_array_oid{1185};

constexpr int as_text{0};
constexpr int as_binary{1};
constexpr std::size_t array_header_bytes{20};

template <typename Integer>
void append_big(std::string& buffer, Integer value) {
    char bytes[sizeof(Integer)];
    boost::endian::endian_store<Integer, sizeof(Integer), boost::endian::order::big>(
        reinterpret_cast<unsigned char*>(bytes), value);
    buffer.append(bytes, sizeof(Integer));
}

/// Writes length and value of each element straight into the grown buffer: one resize per array.
template <typename Integer>
void append_elements(std::string& buffer, std::span<const Integer> values) {
    constexpr std::size_t step = sizeof(std::int32_t) + sizeof(Integer);
    const std::size_t at = buffer.size();
    buffer.resize(at + step * values.size());
    auto* out = reinterpret_cast<unsigned char*>(buffer.data() + at);
    for (const Integer value : values) {
        boost::endian::store_big_s32(out, static_cast<std::int32_t>(sizeof(Integer)));
        boost::endian::endian_store<Integer, sizeof(Integer), boost::endian::order::big>(out + 4,
                                                                                         value);
        out += step;
    }
}

}  // namespace

void params::begin(unsigned type, int format) {
    items_.push_back(item{type, buffer_.size(), 0, format});
}

void params::end() noexcept {
    item& last = items_.back();
    const std::size_t length = buffer_.size() - last.offset;
    // A protocol message is limited to 1 GiB; callers bound their batches far below.
    LIBQUEUE_ASSERT(length <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
    last.length = static_cast<int>(length);
}

params& params::text(std::string_view value) {
    // libpq takes text parameters as C strings: a NUL would silently cut the value.
    if (value.find('\0') != std::string_view::npos) {
        throw domain_failure{
            error{errc::invalid_argument, "text parameter: expected no NUL byte, got one at byte " +
                                              std::to_string(value.find('\0'))}};
    }
    begin(0, as_text);
    buffer_.append(value);
    end();
    buffer_.push_back('\0');
    return *this;
}

params& params::text(const std::optional<std::string>& value) {
    return value ? text(std::string_view{*value}) : null();
}

params& params::null() {
    begin(0, as_text);
    items_.back().length = -1;
    return *this;
}

params& params::number(std::int64_t value) {
    return text(std::to_string(value));
}

params& params::boolean(bool value) {
    return text(std::string_view{value ? "t" : "f"});
}

params& params::int4(std::int32_t value) {
    begin(int4_oid, as_binary);
    put32(value);
    end();
    return *this;
}

params& params::int8(std::int64_t value) {
    begin(int8_oid, as_binary);
    put64(value);
    end();
    return *this;
}

params& params::int2_array(std::span<const std::int16_t> values) {
    begin(int2_array_oid, as_binary);
    array_header(int2_oid, values.size(), false);
    append_elements(buffer_, values);
    end();
    return *this;
}

params& params::int4_array(std::span<const std::int32_t> values) {
    begin(int4_array_oid, as_binary);
    array_header(int4_oid, values.size(), false);
    append_elements(buffer_, values);
    end();
    return *this;
}

params& params::int8_array(std::span<const std::int64_t> values) {
    begin(int8_array_oid, as_binary);
    array_header(int8_oid, values.size(), false);
    append_elements(buffer_, values);
    end();
    return *this;
}

params& params::timestamptz_array(std::span<const std::int64_t> values) {
    begin(timestamptz_array_oid, as_binary);
    array_header(timestamptz_oid, values.size(), false);
    append_elements(buffer_, values);
    end();
    return *this;
}

params& params::text_array(std::span<const std::optional<std::string_view>> values) {
    std::size_t bytes = array_header_bytes;
    bool has_null = false;
    for (const auto& value : values) {
        bytes += sizeof(std::int32_t) + (value ? value->size() : 0);
        has_null = has_null || !value;
    }
    buffer_.reserve(std::max(buffer_.size() + bytes, buffer_.capacity()));
    begin(text_array_oid, as_binary);
    array_header(text_oid, values.size(), has_null);
    for (const auto& value : values) {
        put32(value ? static_cast<std::int32_t>(value->size()) : -1);
        if (value) {
            buffer_.append(*value);
        }
    }
    end();
    return *this;
}

params& params::jsonb_array(std::span<const std::string_view> texts) {
    // Binary jsonb is the JSON text behind a byte of version.
    constexpr char version{1};
    std::size_t bytes = array_header_bytes;
    for (const std::string_view text : texts) {
        bytes += sizeof(std::int32_t) + sizeof(version) + text.size();
    }
    buffer_.reserve(std::max(buffer_.size() + bytes, buffer_.capacity()));
    begin(jsonb_array_oid, as_binary);
    array_header(jsonb_oid, texts.size(), false);
    for (const std::string_view text : texts) {
        put32(static_cast<std::int32_t>(sizeof(version) + text.size()));
        buffer_.push_back(version);
        buffer_.append(text);
    }
    end();
    return *this;
}
params& params::text_array(std::span<const std::string> values) {
    std::size_t bytes = array_header_bytes;
    for (const std::string& value : values) {
        bytes += sizeof(std::int32_t) + value.size();
    }
    buffer_.reserve(std::max(buffer_.size() + bytes, buffer_.capacity()));
    begin(text_array_oid, as_binary);
    array_header(text_oid, values.size(), false);
    for (const std::string& value : values) {
        put32(static_cast<std::int32_t>(value.size()));
        buffer_.append(value);
    }
    end();
    return *this;
}

params& params::bool_array(std::span<const std::uint8_t> values) {
    begin(bool_array_oid, as_binary);
    array_header(bool_oid, values.size(), false);
    append_elements(buffer_, values);
    end();
    return *this;
}

void params::clear() noexcept {
    buffer_.clear();
    items_.clear();
}

void params::array_header(unsigned element, std::size_t count, bool has_null) {
    // An empty array has no dimension; array_recv refuses one of length zero in older servers.
    put32(count == 0 ? 0 : 1);
    put32(has_null ? 1 : 0);
    put32(static_cast<std::int32_t>(element));
    if (count != 0) {
        put32(static_cast<std::int32_t>(count));
        put32(1);
    }
}

void params::put16(std::int16_t value) {
    append_big(buffer_, value);
}
void params::put32(std::int32_t value) {
    append_big(buffer_, value);
}
void params::put64(std::int64_t value) {
    append_big(buffer_, value);
}

void params::fill(view& out) const {
    out.types.clear();
    out.values.clear();
    out.lengths.clear();
    out.formats.clear();
    for (const item& one : items_) {
        out.types.push_back(one.type);
        out.values.push_back(one.length < 0 ? nullptr : buffer_.data() + one.offset);
        out.lengths.push_back(one.length < 0 ? 0 : one.length);
        out.formats.push_back(one.format);
    }
}

}  // namespace libqueue::pg
