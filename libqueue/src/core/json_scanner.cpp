#include "core/limits.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <bitset>

// A scanner instead of a parser: enqueueing must not build a tree of a megabyte only to throw it
// away, and must not recurse on what a stranger sent. The stack of open containers is one bit each.

namespace libqueue::core {

namespace {

// Faults that come with a hint.
constexpr std::string_view too_deep = "nested too deeply";
constexpr std::string_view too_long = "the number is too long";
constexpr std::string_view too_large = "the exponent is too large";
constexpr std::string_view raw_nul = "NUL cannot be stored";
constexpr std::string_view escaped_nul = "\\u0000 cannot be stored";
constexpr std::string_view lone_surrogate = "a surrogate stands alone";
constexpr std::string_view too_short = "the text ends too early";

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

int hex_digit(char c) noexcept {
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

class scanner {
   public:
    explicit scanner(std::string_view json) noexcept : text_{json} {}

    // Empty when all is well, else what was wrong at `position()`.
    std::string_view run() noexcept;
    [[nodiscard]] std::size_t position() const noexcept { return at_; }

   private:
    enum class expect { value, value_or_close, key, key_or_close, colon, comma_or_close, end };

    [[nodiscard]] bool done() const noexcept { return at_ >= text_.size(); }
    [[nodiscard]] char peek() const noexcept { return done() ? '\0' : text_[at_]; }
    [[nodiscard]] bool in_object() const noexcept { return is_object_[depth_ - 1]; }
    void skip_space() noexcept;

    std::string_view step() noexcept;
    std::string_view value() noexcept;
    std::string_view open(bool object) noexcept;
    std::string_view close() noexcept;
    std::string_view literal(std::string_view word) noexcept;
    std::string_view number() noexcept;
    std::string_view exponent() noexcept;
    std::string_view string() noexcept;
    std::string_view escape() noexcept;
    std::string_view unicode_escape() noexcept;
    int four_hex_digits() noexcept;
    void after_value() noexcept { expect_ = depth_ == 0 ? expect::end : expect::comma_or_close; }

    std::string_view text_;
    std::size_t at_{0};
    std::size_t depth_{0};
    std::bitset<limits::json_depth> is_object_;
    expect expect_{expect::value};
};

void scanner::skip_space() noexcept {
    while (!done() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
        ++at_;
    }
}

std::string_view scanner::run() noexcept {
    for (;;) {
        skip_space();
        if (done()) {
            return expect_ == expect::end ? std::string_view{} : too_short;
        }
        if (const std::string_view fault = step(); !fault.empty()) {
            return fault;
        }
    }
}

std::string_view scanner::step() noexcept {
    const char c = peek();
    switch (expect_) {
        case expect::value_or_close:
            return c == ']' ? close() : value();
        case expect::value:
            return value();
        case expect::key_or_close:
            if (c == '}') {
                return close();
            }
            [[fallthrough]];
        case expect::key:
            expect_ = expect::colon;
            return c == '"' ? string() : "expected a key in quotes";
        case expect::colon:
            if (c != ':') {
                return "expected a colon";
            }
            ++at_;
            expect_ = expect::value;
            return {};
        case expect::comma_or_close:
            if (c == ',') {
                ++at_;
                expect_ = in_object() ? expect::key : expect::value;
                return {};
            }
            if (c == (in_object() ? '}' : ']')) {
                return close();
            }
            return in_object() ? "expected a comma or }" : "expected a comma or ]";
        case expect::end:
            return "expected nothing after the value";
    }
    return "expected a value";
}

std::string_view scanner::value() noexcept {
    const char c = peek();
    if (c == '{' || c == '[') {
        return open(c == '{');
    }
    after_value();
    if (c == '"') {
        return string();
    }
    if (c == '-' || is_digit(c)) {
        return number();
    }
    if (c == 't') {
        return literal("true");
    }
    if (c == 'f') {
        return literal("false");
    }
    return c == 'n' ? literal("null") : "expected a value";
}

std::string_view scanner::open(bool object) noexcept {
    if (depth_ == limits::json_depth) {
        return too_deep;
    }
    is_object_[depth_++] = object;
    ++at_;
    expect_ = object ? expect::key_or_close : expect::value_or_close;
    return {};
}

std::string_view scanner::close() noexcept {
    --depth_;
    ++at_;
    after_value();
    return {};
}

std::string_view scanner::literal(std::string_view word) noexcept {
    if (text_.substr(at_, word.size()) != word) {
        return "expected a value";
    }
    at_ += word.size();
    return {};
}

std::string_view scanner::number() noexcept {
    const std::size_t start = at_;
    at_ += peek() == '-' ? 1 : 0;
    if (peek() == '0') {
        ++at_;
        if (is_digit(peek())) {
            return "a number must not begin with 0";
        }
    } else if (!is_digit(peek())) {
        return "expected a digit";
    }
    while (is_digit(peek())) {
        ++at_;
    }
    if (peek() == '.') {
        ++at_;
        if (!is_digit(peek())) {
            return "expected a digit";
        }
        while (is_digit(peek())) {
            ++at_;
        }
    }
    if (peek() == 'e' || peek() == 'E') {
        if (const std::string_view fault = exponent(); !fault.empty()) {
            return fault;
        }
    }
    return at_ - start > limits::json_number_bytes ? too_long : std::string_view{};
}

std::string_view scanner::exponent() noexcept {
    ++at_;
    at_ += peek() == '+' || peek() == '-' ? 1 : 0;
    if (!is_digit(peek())) {
        return "expected a digit";
    }
    int magnitude = 0;
    for (; is_digit(peek()); ++at_) {
        magnitude = std::min(magnitude * 10 + (peek() - '0'), limits::json_exponent + 1);
    }
    return magnitude > limits::json_exponent ? too_large : std::string_view{};
}

std::string_view scanner::string() noexcept {
    ++at_;
    while (!done()) {
        const char c = text_[at_];
        if (c == '"') {
            ++at_;
            return {};
        }
        if (c == '\\') {
            if (const std::string_view fault = escape(); !fault.empty()) {
                return fault;
            }
            continue;
        }
        if (static_cast<unsigned char>(c) < 0x20) {
            return c == '\0' ? raw_nul : "a control character must be escaped";
        }
        const utf8_step step = next_code_point(text_.substr(at_));
        if (!step.valid) {
            return "invalid UTF-8";
        }
        at_ += step.length;
    }
    return too_short;
}

std::string_view scanner::escape() noexcept {
    constexpr std::string_view simple = "\"\\/bfnrt";
    const std::size_t start = at_++;
    if (done()) {
        return too_short;
    }
    if (peek() == 'u') {
        const std::string_view fault = unicode_escape();
        if (!fault.empty()) {
            at_ = start;
        }
        return fault;
    }
    // find, not a switch: peek() may be any byte, NUL included.
    if (simple.find(peek()) == std::string_view::npos) {
        return "unknown escape";
    }
    ++at_;
    return {};
}

std::string_view scanner::unicode_escape() noexcept {
    ++at_;
    const int first = four_hex_digits();
    if (first < 0) {
        return "expected four hexadecimal digits";
    }
    if (first == 0) {
        return escaped_nul;
    }
    if (first < 0xD800 || first > 0xDFFF) {
        return {};
    }
    if (first > 0xDBFF || text_.substr(at_, 2) != "\\u") {
        return lone_surrogate;
    }
    at_ += 2;
    const int second = four_hex_digits();
    return second < 0xDC00 || second > 0xDFFF ? lone_surrogate : std::string_view{};
}

int scanner::four_hex_digits() noexcept {
    int value = 0;
    for (int i = 0; i < 4; ++i) {
        const int digit = hex_digit(peek());
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
        ++at_;
    }
    return value;
}

std::string hint_for(std::string_view fault) {
    if (fault == too_deep) {
        return "at most " + std::to_string(limits::json_depth) + " levels";
    }
    if (fault == too_large) {
        return "at most " + std::to_string(limits::json_exponent) + "; send it as a string";
    }
    if (fault == too_long) {
        return "at most " + std::to_string(limits::json_number_bytes) +
               " characters; send it as a string";
    }
    if (fault == escaped_nul || fault == raw_nul) {
        return "PostgreSQL cannot store NUL in text; encode binary data as base64";
    }
    return {};
}

}  // namespace

result<void> json_storable(std::string_view json, std::string_view what) {
    scanner scan{json};
    const std::string_view fault = scan.run();
    if (fault.empty()) {
        return {};
    }
    std::string message{what};
    message += ": expected JSON that can be stored, got a fault at byte ";
    message += std::to_string(scan.position());
    message += ": ";
    message += fault;
    return error{errc::invalid_payload, std::move(message), hint_for(fault)};
}

result<void> json_object_storable(std::string_view json, std::string_view what) {
    if (auto checked = json_storable(json, what); !checked) {
        return checked;
    }
    const std::size_t first = json.find_first_not_of(" \n\t\r");
    if (json[first] == '{') {
        return {};
    }
    return error{errc::invalid_payload, std::string{what} + ": expected a JSON object"};
}

}  // namespace libqueue::core
