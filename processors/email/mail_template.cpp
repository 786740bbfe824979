#include "processors/email/mail_template.hpp"

#include "processors/email/html_text.hpp"
#include "processors/email/rendering.hpp"

#include <boost/json.hpp>

namespace libqueue::processors::email {

namespace {

namespace json = boost::json;

std::string region_of(const mail_template& what, const template_request& with) {
    const auto language = with.locale.substr(0, with.locale.find_first_of("-_"));
    const bool same =
        what.locale == "default" ? language == "en" : with.locale.starts_with(what.locale);
    return same ? with.locale : what.locale;
}

std::string with_variable(const std::string& object, std::string_view name,
                          std::string_view value) {
    json::error_code failed;
    auto parsed = json::parse(object, failed);
    if (failed || !parsed.is_object()) {
        return object;  // render says what is wrong with it
    }
    parsed.get_object()[json::string_view{name.data(), name.size()}] =
        json::string_view{value.data(), value.size()};
    return json::serialize(parsed);
}

error in_part(std::string_view part, const error& fault) {
    return error{fault.code, std::string{part} + " of the " + fault.message};
}

}  // namespace

result<mail_text> fill_in(const mail_template& what, const template_request& with) {
    return fill_in(what, with, {});
}

result<mail_text> fill_in(const mail_template& what, const template_request& with,
                          std::string_view unsubscribe_url) {
    const auto variables = with_variable(with.variables, "unsubscribe_url", unsubscribe_url);
    rendering how;
    how.locale = region_of(what, with);
    how.zone = with.zone;
    how.escape = rendering::escaping::none;
    mail_text made;
    auto subject = render(what.subject, variables, how);
    if (!subject) {
        return in_part("subject", subject.error());
    }
    made.subject = std::move(*subject);
    if (what.plain) {
        auto text = render(*what.plain, variables, how);
        if (!text) {
            return in_part("text", text.error());
        }
        made.text = std::move(*text);
    }
    if (what.html) {
        how.escape = rendering::escaping::html;
        auto html = render(*what.html, variables, how);
        if (!html) {
            return in_part("html", html.error());
        }
        made.html = std::move(*html);
    }
    if (!what.plain && made.html) {
        made.text = text_of_html(*made.html);
    }
    return made;
}

}  // namespace libqueue::processors::email
