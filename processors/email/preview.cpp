#include "processors/email/preview.hpp"

#include "processors/email/mail_template.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace libqueue::processors::email {

namespace {

namespace json = boost::json;

std::optional<std::string> cell_of(const report& of, std::string_view name) {
    const auto found = std::ranges::find(of.columns, name, &column::name);
    if (found == of.columns.end()) {
        return std::nullopt;
    }
    return of.rows.front()[static_cast<std::size_t>(found - of.columns.begin())];
}

std::string unsubscribe_url_in(const std::string& variables) {
    json::error_code failed;
    const auto parsed = json::parse(variables, failed);
    if (failed || !parsed.is_object()) {
        return {};  // fill_in says what is wrong with it
    }
    const auto* url = parsed.get_object().if_contains("unsubscribe_url");
    return url != nullptr && url->is_string() ? std::string{url->get_string()} : std::string{};
}

}  // namespace

result<report> preview(const report& stored, const template_request& with) {
    mail_template source;
    source.locale = cell_of(stored, "locale").value_or("default");
    source.subject = cell_of(stored, "subject").value_or("");
    source.html = cell_of(stored, "html");
    source.plain = cell_of(stored, "plain");
    auto made = fill_in(source, with, unsubscribe_url_in(with.variables));
    if (!made) {
        return made.error();
    }
    report shown;
    shown.columns = {{"name", column_type::text},       {"locale", column_type::text},
                     {"version", column_type::integer}, {"category", column_type::text},
                     {"subject", column_type::text},    {"html", column_type::text},
                     {"text", column_type::text}};
    shown.rows.push_back({with.name, source.locale, cell_of(stored, "version"),
                          cell_of(stored, "category"), std::move(made->subject),
                          std::move(made->html), std::move(made->text)});
    return shown;
}

}  // namespace libqueue::processors::email
