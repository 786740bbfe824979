#include "processors/analytics/event_columns.hpp"

#include <sql/ingest_events.hpp>
#include <sql/reject_events.hpp>

#include <charconv>
#include <utility>

namespace libqueue::processors::analytics {

void column::next() {
    if (elements_.size() > 1) {
        elements_ += ',';
    }
}

void column::number(std::int64_t value) {
    next();
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value);
    elements_.append(digits, end.ptr);
}

void column::word(std::string_view value) {
    next();
    elements_ += value;
}

void column::text(std::string_view value) {
    next();
    elements_ += '"';
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            elements_ += '\\';
        }
        elements_ += c;
    }
    elements_ += '"';
}

void column::word_or_null(std::string_view value) {
    word(value.empty() ? "NULL" : value);
}

void column::text_or_null(std::string_view value) {
    if (value.empty()) {
        word("NULL");
    } else {
        text(value);
    }
}

std::string column::take() && {
    elements_ += '}';
    return std::move(elements_);
}

void event_columns::add(const event& one, std::string_view tenant) {
    ++counted_;
    given_.tenant.word(tenant);
    given_.key.word(one.key);
    given_.at.number(one.at);
    given_.type.number(static_cast<int>(one.type));
    given_.quantity.number(one.quantity);
    given_.amount.number(one.amount);
    given_.customer.word_or_null(one.customer);
    given_.venue.text(one.venue);
    given_.channel.text(one.channel);
    given_.currency.text(one.currency);
    given_.reference.text_or_null(one.reference);
}

void event_columns::reject(const event& one, std::string_view tenant, std::string_view reason) {
    ++rejected_count_;
    rejected_.tenant.word(tenant);
    rejected_.key.word(one.key);
    rejected_.type.number(static_cast<int>(one.type));
    rejected_.at.number(one.at);
    rejected_.reason.word(reason);
}

std::vector<statement> event_columns::take() && {
    std::vector<statement> all;
    if (counted_ > 0) {
        statement& ingest = all.emplace_back();
        ingest.sql = sql::ingest_events;
        for (column* each : {&given_.tenant, &given_.key, &given_.at, &given_.type,
                             &given_.quantity, &given_.amount, &given_.customer, &given_.venue,
                             &given_.channel, &given_.currency, &given_.reference}) {
            ingest.parameters.emplace_back(std::move(*each).take());
        }
    }
    if (rejected_count_ > 0) {
        statement& reject = all.emplace_back();
        reject.sql = sql::reject_events;
        for (column* each : {&rejected_.tenant, &rejected_.key, &rejected_.type, &rejected_.at,
                             &rejected_.reason}) {
            reject.parameters.emplace_back(std::move(*each).take());
        }
    }
    return all;
}

}  // namespace libqueue::processors::analytics
